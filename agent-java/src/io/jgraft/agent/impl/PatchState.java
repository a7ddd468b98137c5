// What is patched in this JVM, in the stub's map, where implementations of all versions find it. Format 1: JDK objects
// alone, listed in agent-java/README.md. What is committed is one array that is replaced as a whole, so whoever reads it,
// a transformer on a thread of the application for one, takes no lock.
package io.jgraft.agent.impl;

import java.lang.instrument.ClassDefinition;
import java.lang.instrument.Instrumentation;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

final class PatchState {
    private static final String KEY = "patches.1";
    private static final String COMMITTED = "committed";
    private static final String ANSWERS = "answers";
    private static final String HELPERS = "helpers";
    private static final String LOCK = "lock";
    private static final String SESSION = "session";
    private static final String PENDING = "pending";
    private static final String REDEFINING = "redefining";
    private static final String REDEFINED = "redefined";
    private static final Object[][] NONE = {};

    final Map<String, Object> map;
    /** Whether a retransformation starts from the bytes that the JVM kept first, whatever was redefined since
     *  (JDK-7124710, mended in 20). */
    final boolean forgetful = javaVersion() < 20;

    PatchState(Map<String, Object> map) {
        this.map = map;
    }

    /** The one of this JVM. The stub is a class of the system loader, which is not our parent. */
    static PatchState shared() throws PatchFailure {
        try {
            Class<?> stub = Class.forName("io.jgraft.agent.Stub", false, ClassLoader.getSystemClassLoader());
            return of((Map<?, ?>) stub.getField("STATE").get(null));
        } catch (ReflectiveOperationException e) {
            throw new PatchFailure("state", "the stub in this jvm has no place for a state: " + StackText.headline(e), e);
        }
    }

    @SuppressWarnings("unchecked")
    static PatchState of(Map<?, ?> stubs) {
        ConcurrentHashMap<String, Object> empty = new ConcurrentHashMap<String, Object>();
        empty.put(LOCK, new ReentrantLock());
        empty.put(COMMITTED, new Object[] {0L, NONE, NONE, Collections.emptyMap()});
        empty.put(ANSWERS, NONE);
        empty.put(HELPERS, NONE);
        ((Map<String, Object>) stubs).putIfAbsent(KEY, empty);
        return new PatchState((Map<String, Object>) stubs.get(KEY));
    }

    static int javaVersion() {
        String version = System.getProperty("java.specification.version", "1.8");
        return Integer.parseInt(version.startsWith("1.") ? version.substring(2) : version);
    }

    /** Held by threads of ours while they change something, and never by one that a transformer runs on. */
    ReentrantLock lock() {
        return (ReentrantLock) map.get(LOCK);
    }

    /** What holds since the last commit. */
    static final class Committed {
        final long generation;
        final PatchedClass[] classes;
        final WantedClass[] wanted;
        final Map<String, byte[]> blobs;

        Committed(long generation, PatchedClass[] classes, WantedClass[] wanted, Map<String, byte[]> blobs) {
            this.generation = generation;
            this.classes = classes;
            this.wanted = wanted;
            this.blobs = blobs;
        }

        boolean patchesAny() {
            for (PatchedClass row : classes) {
                if (row.isPatched()) {
                    return true;
                }
            }
            return wanted.length > 0;
        }
    }

    @SuppressWarnings("unchecked")
    Committed committed() {
        Object[] parts = (Object[]) map.get(COMMITTED);
        Object[][] wanted = (Object[][]) parts[2];
        WantedClass[] waiting = new WantedClass[wanted.length];
        for (int i = 0; i < wanted.length; i++) {
            waiting[i] = WantedClass.of(wanted[i]);
        }
        return new Committed((Long) parts[0], classes((Object[][]) parts[1]), waiting,
                new TreeMap<String, byte[]>((Map<String, byte[]>) parts[3]));
    }

    /** Rows of the classes that are to be waited for, without a copy: for the transformer. */
    Object[][] wantedRows() {
        return (Object[][]) ((Object[]) map.get(COMMITTED))[2];
    }

    /** Rows that a retransformation by others is answered with: committed ones, and those of a step that is not yet. */
    Object[][] answerRows() {
        return (Object[][]) map.get(ANSWERS);
    }

    /** Classes and loaders that are gone are left out; reverted ones are kept only where the JVM may bring a patch back. */
    void commit(Committed next) {
        Object[][] classes = rows(next.classes);
        Object[][] wanted = new Object[next.wanted.length][];
        int used = 0;
        for (WantedClass row : next.wanted) {
            if (!row.isGone()) {
                wanted[used++] = row.row();
            }
        }
        map.put(COMMITTED, new Object[] {next.generation, classes, Arrays.copyOf(wanted, used), next.blobs});
        map.put(ANSWERS, classes);
    }

    /** What is to hold after a step that was carried out and not yet committed. */
    void answerWith(PatchedClass[] classes) {
        map.put(ANSWERS, rows(classes));
    }

    private Object[][] rows(PatchedClass[] classes) {
        Object[][] rows = new Object[classes.length][];
        int used = 0;
        for (PatchedClass row : classes) {
            if (row.get() != null && (row.isPatched() || forgetful)) {
                rows[used++] = row.row();
            }
        }
        return Arrays.copyOf(rows, used);
    }

    private static PatchedClass[] classes(Object[][] rows) {
        PatchedClass[] classes = new PatchedClass[rows.length];
        for (int i = 0; i < rows.length; i++) {
            classes[i] = PatchedClass.of(rows[i]);
        }
        return classes;
    }

    /** The bytes of a class that a patch has defined, which no revert undefines; null for every other. */
    byte[] helper(Class<?> c) {
        for (Object[] row : (Object[][]) map.get(HELPERS)) {
            if (((WeakReference<?>) row[0]).get() == c) {
                return (byte[]) row[1];
            }
        }
        return null;
    }

    void addHelper(Class<?> c, byte[] bytes) {
        Object[][] old = (Object[][]) map.get(HELPERS);
        Object[][] rows = new Object[old.length + 1][];
        int used = 0;
        for (Object[] row : old) {
            if (((WeakReference<?>) row[0]).get() != null) {
                rows[used++] = row;
            }
        }
        rows[used++] = new Object[] {new WeakReference<Object>(c), bytes};
        map.put(HELPERS, Arrays.copyOf(rows, used));
    }

    /** Takes the one turn that there is, for a session with steps: what it is told holds until it ends. Whether it got it. */
    boolean reserve(String session) {
        return map.putIfAbsent(SESSION, session) == null;
    }

    /** Does nothing where it is another's turn. */
    void release(String session) {
        map.remove(SESSION, session);
    }

    String whoseTurn() {
        return String.valueOf(map.get(SESSION));
    }

    /** The session whose step is carried out and not committed, or null. */
    String pending() {
        return (String) map.get(PENDING);
    }

    void setPending(String session) {
        if (session == null) {
            map.remove(PENDING);
        } else {
            map.put(PENDING, session);
        }
    }

    /** With the lock held: redefines, and lets the keeper know that it is us. */
    void redefine(Instrumentation inst, ClassDefinition... definitions) throws Exception {
        map.put(REDEFINING, Thread.currentThread());
        try {
            inst.redefineClasses(definitions);
            map.put(REDEFINED, Boolean.TRUE);
        } finally {
            map.remove(REDEFINING);
        }
    }

    /** A retransformation costs a JVM what a redefinition does. */
    void noteRetransformation() {
        map.put(REDEFINED, Boolean.TRUE);
    }

    /** Whether it was ever done: the first time costs a JVM of 8 to 22 its compiled code. */
    boolean hasRedefined() {
        return map.containsKey(REDEFINED);
    }

    boolean isRedefinedByUs() {
        return map.get(REDEFINING) == Thread.currentThread();
    }
}
