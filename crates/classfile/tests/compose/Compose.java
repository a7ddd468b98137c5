// Redefines class Svc of a folder by one file after the other, and prints what it says each time.

import java.io.File;
import java.lang.instrument.ClassDefinition;
import java.lang.instrument.Instrumentation;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Paths;

public class Compose {
    static Instrumentation instrumentation;

    public static void premain(String arguments, Instrumentation given) {
        instrumentation = given;
    }

    public static void main(String[] arguments) throws Exception {
        URL[] folder = {new File(arguments[0]).toURI().toURL()};
        Class<?> patched = Class.forName("Svc", true, new URLClassLoader(folder));
        for (int i = 1; i < arguments.length; i++) {
            byte[] bytes = Files.readAllBytes(Paths.get(arguments[i]));
            instrumentation.redefineClasses(new ClassDefinition(patched, bytes));
            System.out.println("said\t" + patched.getMethod("all", int.class).invoke(null, 7));
        }
        System.out.println("done");
    }
}
