// The steps of a session: hand, apply, commit, rollback. A step is thought out and all its files are read before anything
// is changed; the classes change in one redefinition, which the JVM makes whole or not at all. What was applied is pending
// until commit.
package io.jgraft.agent.impl;

import java.lang.instrument.ClassDefinition;
import java.lang.instrument.Instrumentation;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

final class PatchStep {
    private final SessionFiles files;
    private final PatchTargets targets;
    private final PatchState state;
    private final Instrumentation inst;
    private final String session;
    /** What was applied and not committed, or null. */
    private PatchPlan pending;

    PatchStep(SessionFiles files, PatchTargets targets, PatchState state, Instrumentation inst) {
        this.files = files;
        this.targets = targets;
        this.state = state;
        this.inst = inst;
        this.session = files.directory.toString();
    }

    Map<String, String> run(Properties request) throws Exception {
        String step = String.valueOf(request.getProperty("step"));
        Map<String, String> reply = new LinkedHashMap<String, String>();
        reply.put("outcome", "ok");
        if ("hand".equals(step)) {
            hand(request, reply);
            return reply;
        }
        state.lock().lock();
        try {
            if ("apply".equals(step)) {
                apply(request, reply);
            } else if ("commit".equals(step)) {
                commit(request, reply);
            } else if ("rollback".equals(step)) {
                rollback(reply);
            } else if (!"end".equals(step)) {
                throw new PatchFailure("request", "unknown step " + step + ": this agent knows hand, apply, commit, "
                        + "rollback and end");
            }
        } finally {
            state.lock().unlock();
        }
        return reply;
    }

    /** The injector is gone, or has said end: what it has not committed did not happen. Never throws. */
    void abandon() {
        state.lock().lock();
        try {
            if (pending != null) {
                rollback(new LinkedHashMap<String, String>());
            }
        } catch (Throwable nobodyToTell) {
            state.map.put("rollback.error", StackText.headline(nobodyToTell));
        } finally {
            state.lock().unlock();
            state.release(session);
        }
    }

    /** The bytes that a retransformation hands out. Of a patched class the base is kept, and these would not be it. */
    private void hand(Properties request, Map<String, String> reply) throws Exception {
        PatchState.Committed committed = state.committed();
        List<Class<?>> classes = new ArrayList<Class<?>>();
        List<String> numbers = new ArrayList<String>();
        for (int i = 1; request.getProperty("hand." + i) != null; i++) {
            Class<?> c = targets.loaded(request.getProperty("hand." + i));
            PatchedClass row = PatchedClass.find(committed.classes, c);
            if (row != null && row.isPatched()) {
                throw new PatchFailure("request", c.getName() + " is patched: its base is kept");
            }
            classes.add(c);
            numbers.add(request.getProperty("hand." + i));
        }
        HandedBytes handed = HandedBytes.of(classes, inst);
        state.noteRetransformation();
        for (int i = 0; i < numbers.size(); i++) {
            String n = numbers.get(i);
            String objection = handed.objection(classes.get(i));
            if (objection == null) {
                reply.put("handed." + n, files.write("handed-" + n, handed.bytes(classes.get(i))));
            } else {
                reply.put("handed.error." + n, objection);
            }
        }
    }

    private void apply(Properties request, Map<String, String> reply) throws Exception {
        if (state.pending() != null) {
            throw new PatchFailure("busy", "a session has applied already, and has to commit or roll back: "
                    + state.pending());
        }
        PatchState.Committed before = state.committed();
        String generation = String.valueOf(before.generation);
        if (!generation.equals(request.getProperty("generation"))) {
            throw new PatchFailure("generation", "generation is " + generation + ", not "
                    + request.getProperty("generation") + ": what is patched has changed meanwhile");
        }
        PatchPlan plan = PatchPlan.read(request, before, targets, files);
        for (int i = 0; i < plan.helpers.size(); i++) {
            boolean isNew = HelperClasses.define(plan.helpers.get(i), state, inst);
            reply.put("defined." + (i + 1), String.valueOf(isNew));
        }
        if (state.forgetful && plan.redefinesAny()) {
            Keeper.renew(state, inst);
        }
        long begin = System.nanoTime();
        try {
            if (plan.redefinesAny()) {
                state.redefine(inst, plan.after.toArray(new ClassDefinition[0]));
            }
        } catch (Throwable t) {
            Keeper.dismissIfIdle(state);
            throw new PatchFailure("redefine", "the jvm refuses the new classes: " + StackText.headline(t), t);
        }
        reply.put("us", String.valueOf((System.nanoTime() - begin) / 1000));
        state.answerWith(plan.classes);
        state.setPending(session);
        pending = plan;
    }

    private void commit(Properties request, Map<String, String> reply) throws PatchFailure {
        if (pending == null) {
            throw new PatchFailure("request", "nothing is pending in this session");
        }
        PatchState.Committed before = state.committed();
        Map<String, byte[]> blobs = before.blobs;
        for (int i = 1; request.getProperty("drop." + i) != null; i++) {
            blobs.remove(request.getProperty("drop." + i));
        }
        for (int i = 1; request.getProperty("put." + i) != null; i++) {
            blobs.put(request.getProperty("put." + i), files.read(PatchPlan.required(request, "put." + i + ".file")));
        }
        String text = request.getProperty("journal.file");
        PatchState.Committed after = new PatchState.Committed(before.generation + 1, pending.classes, pending.wanted,
                blobs);
        if (text == null && after.patchesAny()) {
            throw new PatchFailure("request", "patches stay and there is no journal.file");
        }
        FileChannel journal = text == null ? null : Journal.write(files, files.read(text));
        if (after.wanted.length > 0 && !(state.forgetful && pending.redefinesAny())) {
            Keeper.renew(state, inst);
        }
        state.commit(after);
        Journal.publish(journal, state);
        pending = null;
        state.setPending(null);
        Keeper.dismissIfIdle(state);
        Keeper.patchLoaded(state);
        reply.put("generation", String.valueOf(after.generation));
    }

    private void rollback(Map<String, String> reply) throws Exception {
        if (pending == null) {
            throw new PatchFailure("request", "nothing is pending in this session");
        }
        PatchPlan plan = pending;
        pending = null;
        long begin = System.nanoTime();
        try {
            if (plan.redefinesAny()) {
                state.answerWith(plan.restored);
                state.redefine(inst, plan.before.toArray(new ClassDefinition[0]));
            }
        } catch (Throwable whole) {
            oneByOne(plan, whole);
        } finally {
            // What was not patched before is kept in mind on a JVM that may have kept the bytes that go now.
            PatchState.Committed now = state.committed();
            state.commit(new PatchState.Committed(now.generation, plan.restored, now.wanted, now.blobs));
            state.setPending(null);
            Keeper.dismissIfIdle(state);
        }
        reply.put("us", String.valueOf((System.nanoTime() - begin) / 1000));
    }

    /** A rollback that the JVM refuses as a whole: as many classes as can be go back. */
    private void oneByOne(PatchPlan plan, Throwable whole) throws PatchFailure {
        StringBuilder left = new StringBuilder();
        for (ClassDefinition each : plan.before) {
            try {
                state.redefine(inst, each);
            } catch (Throwable t) {
                left.append(left.length() == 0 ? "" : ", ").append(each.getDefinitionClass().getName());
            }
        }
        if (left.length() > 0) {
            throw new PatchFailure("rollback", "these classes could not be put back and run the new code: " + left
                    + ": " + StackText.headline(whole), whole);
        }
    }
}
