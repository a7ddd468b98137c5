/*
 * A service whose classes come from where nobody finds them again: `Made` from bytes that no resource has, `Gone` and
 * `Replaced` from jars that the test removes, or puts another in the place of. `say` prints what each says.
 */
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.function.Supplier;

public final class Base {
    static final class Making extends ClassLoader {
        Class<?> define(String folder) throws Exception {
            define(folder, "Made$Inner");
            return define(folder, "Made");
        }

        private Class<?> define(String folder, String name) throws Exception {
            byte[] bytes = Files.readAllBytes(Paths.get(folder, name + ".class"));
            return defineClass(name, bytes, 0, bytes.length);
        }
    }

    public static void main(String[] args) throws Exception {
        Supplier<?>[] all = {
            made(new Making().define(args[0])),
            made(new URLClassLoader(new URL[] {new File(args[0], "gone.jar").toURI().toURL()}).loadClass("Gone")),
            made(new URLClassLoader(new URL[] {new File(args[0], "replaced.jar").toURI().toURL()})
                    .loadClass("Replaced")),
        };
        for (Supplier<?> each : all) {
            each.get();
        }
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        while (in.readLine() != null) {
            System.out.println("says " + all[0].get() + " " + all[1].get() + " " + all[2].get());
        }
    }

    private static Supplier<?> made(Class<?> c) throws Exception {
        return (Supplier<?>) c.getDeclaredConstructor().newInstance();
    }
}
