// The verb patch: answers what the injector must know to think a patch out, and starts the thread that carries it out step
// by step. It knows no class-file format: bytes come and go. Not here: the steps.
package io.jgraft.agent.impl;

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

final class PatchSession {
    private static final long SILENCE_MS = 60000;

    private PatchSession() {
    }

    /** Never throws. Changes nothing. */
    static Map<String, String> run(File session, Properties request, Instrumentation inst) {
        try {
            return answer(new SessionFiles(session.toPath()), request, inst);
        } catch (Throwable t) {
            return PatchFailure.reply(t);
        }
    }

    private static Map<String, String> answer(SessionFiles files, Properties request, Instrumentation inst)
            throws PatchFailure {
        PatchState state = PatchState.shared();
        PatchState.Committed committed = state.committed();
        Map<String, String> reply = new LinkedHashMap<String, String>();
        reply.put("outcome", "ok");
        reply.put("generation", String.valueOf(committed.generation));
        reply.put("jdk", String.valueOf(PatchState.javaVersion()));
        reply.put("redefine", String.valueOf(inst.isRedefineClassesSupported()));
        reply.put("redefined", String.valueOf(state.hasRedefined()));
        for (String error : new String[] {"keeper.error", "rollback.error"}) {
            if (state.map.containsKey(error)) {
                reply.put(error, (String) state.map.get(error));
            }
        }
        PatchTargets targets = PatchTargets.find(request, files, committed, state, inst, reply);
        if ("true".equals(request.getProperty("steps"))) {
            Lease lease = Lease.open(files);
            PatchStep step = new PatchStep(files, targets, state, inst);
            PatchSteps steps = new PatchSteps(files, step, lease, silence(request));
            Thread thread = new Thread(steps, "jgraft-patch");
            thread.setDaemon(true);
            thread.setContextClassLoader(null);
            thread.start();
        }
        return reply;
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
