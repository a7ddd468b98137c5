// The verb patch: answers what the injector must know to think a patch out, and starts the thread that carries it out step
// by step. It knows no class-file format: bytes come and go. Not here: the steps.
package io.jgraft.agent.impl;

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;

final class PatchSession {
    private static final long SILENCE_MS = 60000;
    /** A loader that takes longer to find a class file does not come to an end. */
    private static final long LOOKING_MS = 5000;

    private PatchSession() {
    }

    /** Never throws. Changes nothing. Loaders of the application are asked, so it is done on a thread of ours: one that never
     *  answers must not keep the JVM's own, which serves everybody who attaches. */
    static Map<String, String> run(final File session, final Properties request, final Instrumentation inst) {
        // Whether it was in time; from then on nobody thinks otherwise.
        final AtomicBoolean decided = new AtomicBoolean();
        final SessionFiles files = new SessionFiles(session.toPath());
        FutureTask<Map<String, String>> look = new FutureTask<Map<String, String>>(
                new Callable<Map<String, String>>() {
                    @Override
                    public Map<String, String> call() throws Exception {
                        return answer(files, request, inst, decided);
                    }
                });
        try {
            Thread thread = start(look, "jgraft-patch-look");
            try {
                return look.get(LOOKING_MS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException slow) {
                if (decided.compareAndSet(false, true)) {
                    // That thread may hang there for ever, and others may have their turn.
                    PatchState.shared().release(files.directory.toString());
                    Exception there = new Exception("it is there");
                    there.setStackTrace(thread.getStackTrace());
                    throw new PatchFailure("look", "a class loader of the application has not answered for "
                            + LOOKING_MS / 1000 + " s; a thread of ours waits for it", there);
                }
                return look.get();
            }
        } catch (ExecutionException failed) {
            return PatchFailure.reply(failed.getCause());
        } catch (Throwable t) {
            return PatchFailure.reply(t);
        }
    }

    private static Thread start(Runnable work, String name) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.setContextClassLoader(null);
        thread.start();
        return thread;
    }

    /** A session with steps has the JVM for itself, so that what it is told is what it will change. */
    private static Map<String, String> answer(SessionFiles files, Properties request, Instrumentation inst,
            AtomicBoolean decided) throws PatchFailure {
        PatchState state = PatchState.shared();
        boolean steps = "true".equals(request.getProperty("steps"));
        String name = files.directory.toString();
        if (steps && !state.reserve(name)) {
            throw new PatchFailure("busy", "another jgraft is patching this jvm: " + state.whoseTurn());
        }
        boolean isServed = false;
        try {
            Map<String, String> reply = new LinkedHashMap<String, String>();
            PatchTargets targets = look(files, request, inst, state, reply);
            if (!decided.compareAndSet(false, true)) {
                throw new PatchFailure("look", "too late: nobody waits for it any more");
            }
            if (steps) {
                Lease lease = Lease.open(files);
                PatchStep step = new PatchStep(files, targets, state, inst);
                start(new PatchSteps(files, step, lease, silence(request)), "jgraft-patch");
                isServed = true;
            }
            return reply;
        } finally {
            if (steps && !isServed) {
                state.release(name);
            }
        }
    }

    private static PatchTargets look(SessionFiles files, Properties request, Instrumentation inst, PatchState state,
            Map<String, String> reply) throws PatchFailure {
        PatchState.Committed committed = state.committed();
        reply.put("outcome", "ok");
        reply.put("generation", String.valueOf(committed.generation));
        reply.put("redefined", String.valueOf(state.hasRedefined()));
        for (String error : new String[] {"keeper.error", "rollback.error"}) {
            if (state.map.containsKey(error)) {
                reply.put(error, (String) state.map.get(error));
            }
        }
        return PatchTargets.find(request, files, committed, state, inst, reply);
    }

    private static long silence(Properties request) throws PatchFailure {
        String text = request.getProperty("ttl.ms");
        try {
            return text == null ? SILENCE_MS : Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new PatchFailure("request", "ttl.ms is no number: " + text);
        }
    }
}
