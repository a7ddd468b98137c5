// Keeps patches in force where the JVM alone would not. As a transformer it answers, on JDK 19 and older, a
// retransformation by others of a patched class with the patched bytes, because such a JVM starts from what it kept before
// the patch (JDK-7124710); and it patches wanted classes as they are loaded. What it answers lacks the edits of other
// agents, so its thread redefines the class soon after, which lets them be made again. It is the last in the chain, so it
// is made anew with each session that changes something.
package io.jgraft.agent.impl;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.ref.WeakReference;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

final class Keeper implements ClassFileTransformer, Runnable {
    private static final String KEY = "keeper";
    private static final String ERROR = "keeper.error";
    /** A retransformation of many classes asks for one after the other; it is over when nothing came for so long. */
    private static final long QUIET_MS = 50;
    /** A class that was shown to the transformer and is not loaded after that never will be: its bytes were refused. */
    private static final long LOADING_MS = 10000;
    private static final Object DISMISSED = new Object();

    private final Instrumentation inst;
    private final PatchState state;
    /** References of patched classes, rows of wanted ones, and at the end {@link #DISMISSED}. */
    private final LinkedBlockingQueue<Object> due = new LinkedBlockingQueue<Object>();

    private Keeper(Instrumentation inst, PatchState state) {
        this.inst = inst;
        this.state = state;
    }

    /** With the lock held: a new keeper, last in the chain, in place of the one before. */
    static void renew(PatchState state, Instrumentation inst) {
        Keeper keeper = new Keeper(inst, state);
        keeper.warmUp();
        Thread thread = new Thread(keeper, "jgraft-keeper");
        thread.setDaemon(true);
        thread.setContextClassLoader(null);
        thread.start();
        inst.addTransformer(keeper, true);
        dismiss(state.map.put(KEY, new Object[] {inst, keeper, keeper.due, DISMISSED}));
    }

    /** With the lock held: none is left where there is nothing to keep. */
    static void dismissIfIdle(PatchState state) {
        boolean answers = state.forgetful && state.answerRows().length > 0;
        if (!answers && state.wantedRows().length == 0) {
            dismiss(state.map.remove(KEY));
        }
    }

    /** A keeper may be of another implementation, so it is known by classes of the JDK alone. */
    @SuppressWarnings("unchecked")
    private static void dismiss(Object keeper) {
        if (keeper != null) {
            Object[] parts = (Object[]) keeper;
            ((Instrumentation) parts[0]).removeTransformer((ClassFileTransformer) parts[1]);
            ((LinkedBlockingQueue<Object>) parts[2]).offer(parts[3]);
        }
    }

    /** Wanted classes that are loaded by now, which the transformer was too late for. */
    static void patchLoaded(PatchState state) {
        Object[] parts = (Object[]) state.map.get(KEY);
        if (parts != null) {
            @SuppressWarnings("unchecked")
            LinkedBlockingQueue<Object> due = (LinkedBlockingQueue<Object>) parts[2];
            for (Object[] row : state.wantedRows()) {
                if (loaded((Instrumentation) parts[0], WantedClass.of(row)) != null) {
                    due.offer(row);
                }
            }
        }
    }

    /** Loads every class that transform needs: in transform itself they would be loaded by a thread of the application,
     *  in the middle of another class. */
    private void warmUp() {
        transform(null, "", null, null, new byte[0]);
        Object[] row = {"", null, new byte[0], new byte[0]};
        WantedClass.of(row).isFor("x", null);
        transform(null, null, Keeper.class, null, new byte[0]);
        due.offer(this);
        due.clear();
    }

    // On a thread of the application, or of another agent. No lock of ours is taken, and nothing is thrown.
    @Override
    public byte[] transform(ClassLoader loader, String name, Class<?> c, ProtectionDomain domain, byte[] bytes) {
        try {
            return c == null ? loading(loader, name, bytes) : retransforming(c);
        } catch (Throwable t) {
            return null;
        }
    }

    private byte[] loading(ClassLoader loader, String name, byte[] bytes) {
        if (name == null) {
            return null;
        }
        for (Object[] row : state.wantedRows()) {
            if (name.equals(row[0]) && WantedClass.of(row).isFor(name, loader)) {
                due.offer(row);
                return Arrays.equals(bytes, (byte[]) row[2]) ? (byte[]) row[3] : null;
            }
        }
        return null;
    }

    private byte[] retransforming(Class<?> c) {
        if (!state.forgetful || state.isRedefinedByUs()) {
            return null;
        }
        for (Object[] row : state.answerRows()) {
            if (((WeakReference<?>) row[0]).get() == c) {
                due.offer(row[0]);
                return (byte[]) row[2];
            }
        }
        return null;
    }

    @Override
    public void run() {
        boolean dismissed = false;
        while (!dismissed) {
            List<Object> batch = new ArrayList<Object>();
            try {
                for (Object next = due.take(); next != null; next = due.poll(QUIET_MS, TimeUnit.MILLISECONDS)) {
                    if (next == DISMISSED) {
                        dismissed = true;
                        break;
                    }
                    if (!batch.contains(next)) {
                        batch.add(next);
                    }
                    if (next instanceof Object[]) {
                        break; // A class that is being loaded may run without its patch until then.
                    }
                }
                keep(batch);
                state.map.remove(ERROR);
            } catch (Throwable t) {
                // The patch is in force all the same; the next session is told.
                state.map.put(ERROR, StackText.headline(t));
            }
        }
    }

    private void keep(List<Object> batch) throws Exception {
        for (Object each : batch) {
            if (each instanceof Object[]) {
                patchWhenLoaded((Object[]) each);
            } else {
                redefine((WeakReference<?>) each);
            }
        }
    }

    /** Alone, so that one that is refused spoils no other. */
    private void redefine(WeakReference<?> reference) throws Exception {
        state.lock().lock();
        try {
            for (Object[] row : state.answerRows()) {
                Class<?> c = (Class<?>) reference.get();
                if (c != null && ((WeakReference<?>) row[0]).get() == c) {
                    state.redefine(inst, PatchedClass.of(row).definition((byte[]) row[2]));
                }
            }
        } finally {
            state.lock().unlock();
        }
    }

    private void patchWhenLoaded(Object[] row) throws Exception {
        WantedClass wanted = WantedClass.of(row);
        Class<?> c = loaded(inst, wanted);
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LOADING_MS);
        for (long pause = 1; c == null && System.nanoTime() < end; pause = Math.min(2 * pause, 100)) {
            Thread.sleep(pause);
            c = loaded(inst, wanted);
        }
        if (c == null) {
            return;
        }
        while (state.pending() != null) {
            Thread.sleep(QUIET_MS);
        }
        state.lock().lock();
        try {
            if (state.pending() != null) {
                due.offer(row); // What a session is about to commit was thought out without this class.
                return;
            }
            PatchState.Committed now = state.committed();
            List<WantedClass> rest = new ArrayList<WantedClass>();
            boolean stillWanted = false;
            for (WantedClass each : now.wanted) {
                if (each.name.equals(wanted.name) && each.isFor(wanted.name, c.getClassLoader())) {
                    stillWanted = true;
                    wanted = each;
                } else {
                    rest.add(each);
                }
            }
            if (!stillWanted) {
                return;
            }
            PatchedClass[] classes = Arrays.copyOf(now.classes, now.classes.length + 1);
            PatchedClass patched = new PatchedClass(new WeakReference<Object>(c), wanted.base, wanted.current);
            classes[now.classes.length] = patched;
            state.redefine(inst, patched.definition(patched.current));
            state.commit(new PatchState.Committed(now.generation + 1, classes,
                    rest.toArray(new WantedClass[0]), now.blobs));
            dismissIfIdle(state);
        } finally {
            state.lock().unlock();
        }
    }

    /** The loaded class of that row, or null. */
    private static Class<?> loaded(Instrumentation inst, WantedClass wanted) {
        String name = wanted.name.replace('/', '.');
        for (Class<?> c : inst.getAllLoadedClasses()) {
            if (c.getName().equals(name) && wanted.isFor(wanted.name, c.getClassLoader())) {
                return c;
            }
        }
        return null;
    }
}
