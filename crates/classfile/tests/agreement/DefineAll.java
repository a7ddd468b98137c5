// Defines and links classes, each in a loader of its own, and says of each what came of it: `DefineAll BATCH RESULTS FIRST
// [JAR…]`. BATCH is a u4 that counts, and for each class a u4 with its length and its bytes; those before FIRST are passed
// over. RESULTS gets, as each is done, `N<tab>linked` or `N<tab>CLASS OF THE THROWABLE<tab>MESSAGE`, so that whoever waits knows
// which class ended the VM. What a class needs comes from the jars, or else from the JDK.

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.Writer;
import java.io.OutputStreamWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;

public final class DefineAll {
    private static final int LONGEST = 1000;

    private DefineAll() {}

    private static final class OneClass extends ClassLoader {
        OneClass(ClassLoader parent) {
            super(parent);
        }

        Class<?> define(byte[] bytes) {
            return defineClass(null, bytes, 0, bytes.length);
        }
    }

    public static void main(String[] args) throws Exception {
        URL[] jars = new URL[args.length - 3];
        for (int i = 0; i < jars.length; i++) {
            jars[i] = new File(args[i + 3]).toURI().toURL();
        }
        ClassLoader parent = new URLClassLoader(jars, ClassLoader.getSystemClassLoader());
        int first = Integer.parseInt(args[2]);
        try (DataInputStream batch =
                        new DataInputStream(new BufferedInputStream(Files.newInputStream(Paths.get(args[0]))));
                Writer results =
                        new OutputStreamWriter(new FileOutputStream(args[1], true), StandardCharsets.UTF_8)) {
            int count = batch.readInt();
            for (int n = 0; n < count; n++) {
                byte[] bytes = new byte[batch.readInt()];
                batch.readFully(bytes);
                if (n < first) {
                    continue;
                }
                results.write(n + "\t" + link(bytes, parent) + "\n");
                results.flush();
            }
        }
        System.out.println("done");
    }

    private static String link(byte[] bytes, ClassLoader parent) {
        try {
            // Both link the class, and only then look for the classes in the descriptors; of an interface nobody asks the
            // VM for constructors.
            Class<?> defined = new OneClass(parent).define(bytes);
            Object[] members = defined.isInterface() ? defined.getDeclaredFields() : defined.getDeclaredConstructors();
            return "linked";
        } catch (Throwable thrown) {
            String message = String.valueOf(thrown.getMessage()).replaceAll("[\\t\\r\\n]+", " ");
            return thrown.getClass().getName() + "\t" + message.substring(0, Math.min(LONGEST, message.length()));
        }
    }
}
