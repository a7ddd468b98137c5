// Links classes and says of each what came of it: `LinkAll NAMES RESULTS [JAR…]`. NAMES has a class a line; RESULTS gets
// `NAME<tab>linked` or `NAME<tab>THE THROWABLE`. With jars, one loader over all of them, else the system loader.

import java.io.BufferedWriter;
import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;

public final class LinkAll {
    private LinkAll() {}

    public static void main(String[] args) throws Exception {
        ClassLoader loader = ClassLoader.getSystemClassLoader();
        if (args.length > 2) {
            URL[] jars = new URL[args.length - 2];
            for (int i = 0; i < jars.length; i++) {
                jars[i] = new File(args[i + 2]).toURI().toURL();
            }
            loader = new URLClassLoader(jars, loader);
        }
        try (BufferedWriter results = Files.newBufferedWriter(Paths.get(args[1]), StandardCharsets.UTF_8)) {
            for (String name : Files.readAllLines(Paths.get(args[0]), StandardCharsets.UTF_8)) {
                results.write(name + '\t' + link(name, loader) + '\n');
            }
        }
        // So that a run in which nothing was woven can't pass for one in which all was.
        System.out.println("done, probe calls: " + calls());
    }

    private static String link(String name, ClassLoader loader) {
        try {
            Class<?> loaded = Class.forName(name, false, loader);
            // Both link it first, and only then look for the classes in the descriptors.
            loaded.getDeclaredConstructors();
            loaded.getDeclaredMethods();
            return "linked";
        } catch (Throwable thrown) {
            return thrown.toString().replaceAll("[\\t\\r\\n]+", " ");
        }
    }

    private static long calls() throws Exception {
        long calls = 0;
        Class<?> probe = Class.forName("java.lang.WeaveProbe");
        for (String counter : new String[] {"enters", "exits", "throwns", "others"}) {
            calls += probe.getField(counter).getLong(null);
        }
        return calls;
    }
}
