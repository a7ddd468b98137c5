/*
 * A target with so many small classes: copies of one, each under a name of its own, defined, initialised and called. Says
 * `ready CLASSES BYTES`, with the bytes of their class files.
 */
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

public final class ManyClasses {
    /** The class that is copied. Its name is as long as those of the copies. */
    static final class Small00000 implements Runnable {
        private int count;

        @Override
        public void run() {
            count += add(1, 2);
            text(count);
        }

        int add(int left, int right) {
            if (left > right) {
                return left - right;
            }
            return left + right;
        }

        String text(int number) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 3; i++) {
                text.append(number).append(',');
            }
            return text.toString();
        }
    }

    private static final class Definer extends ClassLoader {
        Definer() {
            super(ManyClasses.class.getClassLoader());
        }

        Class<?> define(byte[] bytes) {
            return defineClass(null, bytes, 0, bytes.length);
        }
    }

    public static void main(String[] args) throws Exception {
        int wanted = Integer.parseInt(args[0]);
        byte[] original = read("ManyClasses$Small00000.class");
        byte[] name = "Small00000".getBytes(StandardCharsets.US_ASCII);
        Definer definer = new Definer();
        Object[] kept = new Object[wanted];
        long total = 0;
        for (int n = 1; n <= wanted; n++) {
            byte[] bytes = original.clone();
            byte[] number = String.format("Small%05d", n).getBytes(StandardCharsets.US_ASCII);
            for (int at = 0; at + name.length <= bytes.length; at++) {
                if (Arrays.equals(Arrays.copyOfRange(bytes, at, at + name.length), name)) {
                    System.arraycopy(number, 0, bytes, at, number.length);
                }
            }
            java.lang.reflect.Constructor<?> constructor = definer.define(bytes).getDeclaredConstructor();
            constructor.setAccessible(true);
            Runnable small = (Runnable) constructor.newInstance();
            small.run();
            kept[n - 1] = small;
            total += bytes.length;
        }
        System.out.println("ready " + wanted + " " + total);
        while (System.in.read() >= 0) {
            // Until the other side has enough.
        }
        System.out.println(kept.length);
    }

    private static byte[] read(String file) throws Exception {
        try (InputStream in = ManyClasses.class.getResourceAsStream(file)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] buffer = new byte[4096];
            for (int read = in.read(buffer); read > 0; read = in.read(buffer)) {
                out.write(buffer, 0, read);
            }
            return out.toByteArray();
        }
    }
}
