// A step apply, read to its last file and not begun: the definitions that carry it out, those that undo it, and what the
// state is to be after it.
package io.jgraft.agent.impl;

import java.lang.instrument.ClassDefinition;
import java.lang.ref.WeakReference;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;

final class PatchPlan {
    final List<Helper> helpers = new ArrayList<Helper>();
    final List<ClassDefinition> after = new ArrayList<ClassDefinition>();
    final List<ClassDefinition> before = new ArrayList<ClassDefinition>();
    /** All classes as they are to be after a commit. */
    PatchedClass[] classes;
    /** All classes as they are to be after a rollback. */
    PatchedClass[] restored;
    WantedClass[] wanted;

    /** A new class of a patch, beside one that is loaded, or will be. */
    static final class Helper {
        final String name;
        final byte[] bytes;
        final String beside;
        /** Null is the boot loader. */
        final ClassLoader loader;
        /** Null is that of a loaded class of its package. */
        final ProtectionDomain origin;

        Helper(String name, byte[] bytes, Class<?> beside) {
            this.name = name;
            this.bytes = bytes;
            this.beside = beside.getName();
            this.loader = beside.getClassLoader();
            this.origin = beside.getProtectionDomain();
        }

        Helper(String name, byte[] bytes, PatchTargets.Candidate beside) throws PatchFailure {
            this.name = name;
            this.bytes = bytes;
            this.beside = beside.name;
            this.loader = beside.loader();
            this.origin = null;
        }
    }

    private PatchPlan() {
    }

    boolean redefinesAny() {
        return !after.isEmpty();
    }

    static PatchPlan read(Properties request, PatchState.Committed committed, PatchTargets targets,
            SessionFiles files) throws PatchFailure {
        PatchPlan plan = new PatchPlan();
        for (int i = 1; request.getProperty("define." + i) != null; i++) {
            String key = "define." + i;
            String name = request.getProperty(key);
            String beside = required(request, key + ".loader");
            byte[] bytes = files.read(required(request, key + ".file"));
            plan.helpers.add(beside.indexOf('.') < 0 ? new Helper(name, bytes, targets.loaded(beside))
                    : new Helper(name, bytes, targets.candidate(beside)));
        }
        plan.readClasses(request, committed, targets, files);
        plan.readWanted(request, committed, targets, files);
        return plan;
    }

    private void readClasses(Properties request, PatchState.Committed committed, PatchTargets targets,
            SessionFiles files) throws PatchFailure {
        List<PatchedClass> next = new ArrayList<PatchedClass>(Arrays.asList(committed.classes));
        List<PatchedClass> undone = new ArrayList<PatchedClass>(next);
        for (int i = 1; request.getProperty("set." + i) != null; i++) {
            String key = "set." + i;
            Class<?> c = targets.loaded(request.getProperty(key));
            for (ClassDefinition other : after) {
                if (other.getDefinitionClass() == c) {
                    throw new PatchFailure("request", "the step sets " + c.getName() + " twice");
                }
            }
            byte[] bytes = files.read(required(request, key + ".file"));
            byte[] base = request.getProperty(key + ".base") == null ? null
                    : files.read(request.getProperty(key + ".base"));
            PatchedClass row = PatchedClass.find(committed.classes, c);
            if (base == null && row == null) {
                throw new PatchFailure("request", "the step has no base for " + c.getName()
                        + ", which was not patched before");
            }
            boolean clear = "true".equals(request.getProperty(key + ".clear"));
            WeakReference<?> reference = row == null ? new WeakReference<Object>(c) : row.reference;
            byte[] kept = clear ? bytes : base == null ? row.base : base;
            byte[] undo = row == null || !row.isPatched() && base != null ? base : row.current;
            after.add(new ClassDefinition(c, bytes));
            before.add(new ClassDefinition(c, undo));
            replace(next, row, new PatchedClass(reference, kept, bytes));
            replace(undone, row, row != null && row.isPatched() ? row : new PatchedClass(reference, undo, undo));
        }
        classes = next.toArray(new PatchedClass[0]);
        restored = undone.toArray(new PatchedClass[0]);
    }

    private void readWanted(Properties request, PatchState.Committed committed, PatchTargets targets,
            SessionFiles files) throws PatchFailure {
        List<WantedClass> next = new ArrayList<WantedClass>(Arrays.asList(committed.wanted));
        for (int i = 1; request.getProperty("forget." + i) != null; i++) {
            WantedClass row = targets.wanted(request.getProperty("forget." + i));
            remove(next, row.name, row.loader == null ? null : (ClassLoader) row.loader.get());
        }
        for (int i = 1; request.getProperty("load." + i) != null; i++) {
            PatchTargets.Candidate candidate = targets.candidate(request.getProperty("load." + i));
            String name = candidate.name.replace('.', '/');
            ClassLoader loader = candidate.loader();
            remove(next, name, loader);
            next.add(new WantedClass(name, candidate.loader, files.read(required(request, "load." + i + ".base")),
                    files.read(required(request, "load." + i + ".file"))));
        }
        wanted = next.toArray(new WantedClass[0]);
    }

    private static void replace(List<PatchedClass> rows, PatchedClass old, PatchedClass row) {
        int at = rows.indexOf(old);
        if (at >= 0) {
            rows.set(at, row);
        } else {
            rows.add(row);
        }
    }

    private static void remove(List<WantedClass> rows, String name, ClassLoader loader) {
        for (int i = rows.size() - 1; i >= 0; i--) {
            if (rows.get(i).isFor(name, loader)) {
                rows.remove(i);
            }
        }
    }

    static String required(Properties request, String key) throws PatchFailure {
        String value = request.getProperty(key);
        if (value == null) {
            throw new PatchFailure("request", "the step has no " + key);
        }
        return value;
    }
}
