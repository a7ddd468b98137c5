// The class files that class loaders find for a name, as resources: what the class was, or will be, loaded from. The
// application's loaders answer here, on a thread of ours (PatchSession).
package io.jgraft.agent.impl;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.URLConnection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

final class LoaderResources {
    private static final int LIMIT = 64 << 20;

    private LoaderResources() {
    }

    /** The class file that {@code loader} has for a class it defines. A loader's own entry goes before its parent's. */
    static URL find(ClassLoader loader, String name) {
        String entry = name.replace('.', '/') + ".class";
        if (loader == null) {
            return ClassLoader.getSystemResource(entry);
        }
        URL own = loader instanceof URLClassLoader ? ((URLClassLoader) loader).findResource(entry) : null;
        return own == null ? loader.getResource(entry) : own;
    }

    /** Past the cache of jar files, which may hold an older one, and would keep this one open. */
    static byte[] read(URL url) throws IOException {
        URLConnection connection = url.openConnection();
        connection.setUseCaches(false);
        try (InputStream in = connection.getInputStream()) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] chunk = new byte[8192];
            for (int n; (n = in.read(chunk)) >= 0;) {
                out.write(chunk, 0, n);
                if (out.size() > LIMIT) {
                    throw new IOException(url + " is longer than " + LIMIT + " bytes");
                }
            }
            return out.toByteArray();
        }
    }

    /** The loaders that would load a class of this name, the boot loader as null, each with where it finds it. One that
     *  finds what a loader above it finds is not among them: it will ask that one. */
    static Map<ClassLoader, URL> candidates(List<ClassLoader> loaders, String name) {
        Map<ClassLoader, URL> found = new LinkedHashMap<ClassLoader, URL>();
        List<String> seen = new ArrayList<String>();
        for (ClassLoader loader : loaders) {
            URL url;
            try {
                url = loader == null ? bootResource(name) : find(loader, name);
            } catch (Throwable broken) {
                continue; // A loader that was closed, or of which resources cannot be asked, is none for this class.
            }
            if (url != null && !seen.contains(url.toString())) {
                seen.add(url.toString());
                found.put(loader, url);
            }
        }
        return found;
    }

    private static URL bootResource(String name) {
        return new BootOnly().getResource(name.replace('.', '/') + ".class");
    }

    /** All loaders of loaded classes but those that only reflection and we ourselves use, each after those above it. */
    static List<ClassLoader> all(Instrumentation inst) {
        Set<ClassLoader> loaders = Collections.newSetFromMap(new IdentityHashMap<ClassLoader, Boolean>());
        for (Class<?> c : inst.getAllLoadedClasses()) {
            ClassLoader loader = c.getClassLoader();
            if (loader != null) {
                String name = loader.getClass().getName();
                if (!name.endsWith(".reflect.DelegatingClassLoader") && !name.startsWith("io.jgraft.agent.")) {
                    loaders.add(loader);
                }
            }
        }
        List<ClassLoader> sorted = new ArrayList<ClassLoader>(loaders);
        Collections.sort(sorted, new Comparator<ClassLoader>() {
            @Override
            public int compare(ClassLoader a, ClassLoader b) {
                return Integer.compare(depth(a), depth(b));
            }
        });
        sorted.add(0, null);
        return sorted;
    }

    private static int depth(ClassLoader loader) {
        int depth = 0;
        for (ClassLoader above = loader; above != null && depth < 1000; above = above.getParent()) {
            depth++;
        }
        return depth;
    }

    /** Finds what the boot loader finds. */
    private static final class BootOnly extends ClassLoader {
        BootOnly() {
            super(null);
        }
    }
}
