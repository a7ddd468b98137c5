// What a redefinition costs of metaspace, in bytes: of class Big below a folder, by each of the files named.

import java.io.File;
import java.lang.instrument.ClassDefinition;
import java.lang.instrument.Instrumentation;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Paths;

public class Metaspace {
    static Instrumentation instrumentation;

    public static void premain(String arguments, Instrumentation given) {
        instrumentation = given;
    }

    public static void main(String[] arguments) throws Exception {
        for (int i = 1; i < arguments.length; i++) {
            URL[] folder = {new File(arguments[0]).toURI().toURL()};
            Class<?> big = Class.forName("Big", true, new URLClassLoader(folder));
            byte[] bytes = Files.readAllBytes(Paths.get(arguments[i]));
            long before = used();
            instrumentation.redefineClasses(new ClassDefinition(big, bytes));
            long grown = used() - before;
            Object said = big.getMethod("say", int.class).invoke(null, 5);
            System.out.println("grown\t" + grown + "\t" + said);
        }
        System.out.println("done");
    }

    static long used() {
        System.gc();
        for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
            if (pool.getName().equals("Metaspace")) {
                return pool.getUsage().getUsed();
            }
        }
        throw new IllegalStateException("no Metaspace");
    }
}
