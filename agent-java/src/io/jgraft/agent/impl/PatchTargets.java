// The classes that a session is about, and what the injector is told of them: every loaded class of the names it has
// asked for, with the bytes it was loaded from, and the loaders that would load a name that is not loaded.
package io.jgraft.agent.impl;

import java.lang.instrument.Instrumentation;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

final class PatchTargets {
    private final List<WeakReference<Class<?>>> classes = new ArrayList<WeakReference<Class<?>>>();
    private final Map<String, Candidate> candidates = new HashMap<String, Candidate>();
    private final WantedClass[] wanted;

    /** A loader that would load a class of that name. */
    static final class Candidate {
        final String name;
        /** Null is the boot loader. */
        final WeakReference<ClassLoader> loader;

        Candidate(String name, ClassLoader loader) {
            this.name = name;
            this.loader = loader == null ? null : new WeakReference<ClassLoader>(loader);
        }

        ClassLoader loader() throws PatchFailure {
            ClassLoader alive = loader == null ? null : loader.get();
            if (alive == null && loader != null) {
                throw new PatchFailure("generation", "the loader of " + name + " was unloaded meanwhile");
            }
            return alive;
        }
    }

    private PatchTargets(WantedClass[] wanted) {
        this.wanted = wanted;
    }

    /** Looks, writes what it found into the session and says so in the reply. Changes nothing. */
    static PatchTargets find(Properties request, SessionFiles files, PatchState.Committed state, PatchState shared,
            Instrumentation inst, Map<String, String> reply) throws PatchFailure {
        PatchTargets targets = new PatchTargets(state.wanted);
        Set<String> names = new HashSet<String>();
        List<String> asked = new ArrayList<String>();
        for (int n = 1; request.getProperty("class." + n) != null; n++) {
            if (names.add(request.getProperty("class." + n))) {
                asked.add(request.getProperty("class." + n));
            }
        }
        Set<String> unloaded = new HashSet<String>(names);
        for (Class<?> c : inst.getAllLoadedClasses()) {
            if (names.contains(c.getName()) && !c.isArray()) {
                unloaded.remove(c.getName());
                targets.tellLoaded(c, files, state, shared, inst, reply);
            }
        }
        if (!unloaded.isEmpty()) {
            List<ClassLoader> loaders = LoaderResources.all(inst);
            int m = 0;
            for (String name : asked) {
                if (unloaded.contains(name)) {
                    targets.tellUnloaded(++m, name, loaders, files, reply);
                }
            }
        }
        targets.tellWanted(files, reply);
        int k = 0;
        for (Map.Entry<String, byte[]> blob : state.blobs.entrySet()) {
            reply.put("blob." + ++k, blob.getKey());
            reply.put("blob." + k + ".file", files.write("blob-" + k, blob.getValue()));
        }
        return targets;
    }

    private void tellLoaded(Class<?> c, SessionFiles files, PatchState.Committed state, PatchState shared,
            Instrumentation inst, Map<String, String> reply) throws PatchFailure {
        classes.add(new WeakReference<Class<?>>(c));
        int n = classes.size();
        reply.put("class." + n, c.getName());
        tellLoader("loader." + n, "loader.id." + n, c.getClassLoader(), reply);
        reply.put("modifiable." + n, String.valueOf(inst.isModifiableClass(c)));
        PatchedClass row = PatchedClass.find(state.classes, c);
        byte[] helper = shared.helper(c);
        if (row != null) {
            reply.put("base." + n, files.write("base-" + n, row.base));
            reply.put("base.kind." + n, "kept");
            if (row.isPatched()) {
                reply.put("current." + n, files.write("current-" + n, row.current));
            }
        } else if (helper != null) {
            reply.put("base." + n, files.write("base-" + n, helper));
            reply.put("base.kind." + n, "helper");
        } else {
            tellResource(n, c, files, reply);
        }
    }

    private static void tellResource(int n, Class<?> c, SessionFiles files, Map<String, String> reply)
            throws PatchFailure {
        byte[] bytes;
        try {
            URL url = LoaderResources.find(c.getClassLoader(), c.getName());
            if (url == null) {
                reply.put("base.error." + n, "its loader has no resource of that name");
                return;
            }
            reply.put("base.url." + n, url.toString());
            bytes = LoaderResources.read(url);
        } catch (Throwable broken) {
            reply.put("base.error." + n, "its loader's resource cannot be read: " + StackText.headline(broken));
            return;
        }
        reply.put("base." + n, files.write("base-" + n, bytes));
        reply.put("base.kind." + n, "resource");
    }

    private void tellUnloaded(int m, String name, List<ClassLoader> loaders, SessionFiles files,
            Map<String, String> reply) throws PatchFailure {
        reply.put("unloaded." + m, name);
        int k = 0;
        for (Map.Entry<ClassLoader, URL> found : LoaderResources.candidates(loaders, name).entrySet()) {
            byte[] bytes;
            try {
                bytes = LoaderResources.read(found.getValue());
            } catch (Throwable broken) {
                continue; // Its loader could not load it either.
            }
            String id = m + "." + ++k;
            candidates.put(id, new Candidate(name, found.getKey()));
            String key = "candidate." + id;
            reply.put(key + ".file", files.write("candidate-" + m + "-" + k, bytes));
            tellLoader(key + ".loader", key + ".loader.id", found.getKey(), reply);
        }
    }

    private void tellWanted(SessionFiles files, Map<String, String> reply) throws PatchFailure {
        for (int i = 0; i < wanted.length; i++) {
            WantedClass row = wanted[i];
            if (row.isGone()) {
                continue; // Its number stays free: a step says which is to be forgotten.
            }
            int n = i + 1;
            reply.put("wanted." + n, row.name.replace('/', '.'));
            ClassLoader loader = row.loader == null ? null : (ClassLoader) row.loader.get();
            tellLoader("wanted.loader." + n, "wanted.loader.id." + n, loader, reply);
            reply.put("wanted.base." + n, files.write("wanted-base-" + n, row.base));
            reply.put("wanted.current." + n, files.write("wanted-current-" + n, row.current));
        }
    }

    private static void tellLoader(String key, String idKey, ClassLoader loader, Map<String, String> reply) {
        reply.put(key, loader == null ? "boot" : loader.getClass().getName());
        reply.put(idKey, String.valueOf(System.identityHashCode(loader)));
    }

    /** The class that the reply has told by that number. */
    Class<?> loaded(String n) throws PatchFailure {
        int number = number(n);
        if (number < 1 || number > classes.size()) {
            throw new PatchFailure("request", "this session has no class " + n);
        }
        Class<?> c = classes.get(number - 1).get();
        if (c == null) {
            throw new PatchFailure("generation", "class " + n + " of this session was unloaded meanwhile");
        }
        return c;
    }

    Candidate candidate(String id) throws PatchFailure {
        Candidate candidate = candidates.get(id);
        if (candidate == null) {
            throw new PatchFailure("request", "this session has no candidate " + id);
        }
        return candidate;
    }

    WantedClass wanted(String n) throws PatchFailure {
        int number = number(n);
        if (number < 1 || number > wanted.length) {
            throw new PatchFailure("request", "this session has no class " + n + " that is waited for");
        }
        return wanted[number - 1];
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
