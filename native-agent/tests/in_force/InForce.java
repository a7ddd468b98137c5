// Classes of all kinds for a test that reads them out of a running JVM. It is its own agent: told "change", it puts another
// version of Changing in force by a retransformation, whose constants stand elsewhere; told "restore", it takes it back.
// Told "run NAME", it calls the main of that class. Told "dump NAME", it writes the class file that the class was loaded
// from; told "dump-all", those of all that are loaded.

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

public final class InForce {
    private static Instrumentation instrumentation;

    public static void premain(String arguments, Instrumentation given) {
        instrumentation = given;
    }

    public static void main(String[] args) throws Exception {
        Class<?> unlinked = Class.forName("Unlinked", false, InForce.class.getClassLoader());
        warm();
        if (Broken.failures() != 7 || Broken.handles() != 9) {
            throw new IllegalStateException();
        }
        Swap swap = new Swap(Files.readAllBytes(new File(args[0], "Changing.class").toPath()));
        System.out.println("ready " + unlinked.getName());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "change":
                    instrumentation.addTransformer(swap, true);
                    instrumentation.retransformClasses(Changing.class);
                    break;
                case "restore":
                    instrumentation.removeTransformer(swap);
                    instrumentation.retransformClasses(Changing.class);
                    break;
                case "dump":
                    Class.forName(words[1]);
                    Files.write(new File(words[1] + ".class").toPath(), bytes(words[1]));
                    break;
                case "run":
                    try {
                        Class.forName(words[1]).getMethod("main", String[].class).invoke(null, (Object) new String[0]);
                    } catch (ReflectiveOperationException failed) {
                        // It was run all the same, or is a class without a main.
                        System.out.println(words[1] + ": " + failed);
                    }
                    break;
                case "dump-all":
                    dumpAll();
                    break;
                default:
                    warm();
            }
            System.out.println("done " + new Changing().changed());
        }
    }

    private static void dumpAll() throws Exception {
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            String name = loaded.getName();
            // What is made at run time has no class file.
            boolean hasFile = ClassLoader.getSystemResource(name.replace('.', '/') + ".class") != null;
            if (hasFile && instrumentation.isModifiableClass(loaded)) {
                Files.write(new File(name + ".class").toPath(), bytes(name));
            }
        }
    }

    private static byte[] bytes(String name) throws Exception {
        try (InputStream in = ClassLoader.getSystemResourceAsStream(name.replace('.', '/') + ".class")) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            byte[] some = new byte[8192];
            for (int count = in.read(some); count >= 0; count = in.read(some)) {
                all.write(some, 0, count);
            }
            return all.toByteArray();
        }
    }

    /** Long enough for the interpreter to rewrite what it rewrites, and for methods to be compiled. */
    private static void warm() {
        long sum = 0;
        for (int i = 0; i < 20_000; i++) {
            sum += new Changing().kept(i) + Kinds.run(i);
        }
        if (sum == 42) {
            System.out.println("the answer");
        }
    }
}

final class Swap implements ClassFileTransformer {
    private final byte[] other;

    Swap(byte[] other) {
        this.other = other;
    }

    @Override
    public byte[] transform(ClassLoader loader, String name, Class<?> old, ProtectionDomain domain, byte[] bytes) {
        return "Changing".equals(name) ? other : null;
    }
}

interface Greets {
    String NAME = "world";

    String greeting();

    default String greet() {
        return greeting() + twice(NAME);
    }

    static String twice(String text) {
        return text + text;
    }
}

enum Planet {
    EARTH(1.0f) {
        @Override
        double mass() {
            return 5.97e24;
        }
    },
    MARS(0.38f);

    final float gravity;

    Planet(float gravity) {
        this.gravity = gravity;
    }

    double mass() {
        return 6.42e23;
    }
}

class Kinds implements Greets, Comparable<Kinds> {
    private static final long LARGE = 0x1234_5678_9abc_def0L;
    private static int count;
    protected transient volatile Object last;

    static int run(int i) {
        Kinds kinds = new Kinds();
        kinds.last = kinds.new Inner();
        int sum = kinds.greet().length() + kinds.compareTo(new Kinds()) + kinds.choose("b", i & 15) + Planet.MARS.ordinal();
        sum += new Nested().value() + kinds.anonymous().getAsInt() + kinds.locked() + grid(2, 3) + kinds.caught(i);
        return sum + (int) (LARGE * i) + new Shape.Square().sides() + (int) Planet.EARTH.mass();
    }

    @Override
    public String greeting() {
        return "hello";
    }

    @Override
    public int compareTo(Kinds other) {
        return other == this ? 1 : 0;
    }

    int choose(String text, int number) {
        switch (text) {
            case "a":
                return 1;
            case "b":
                break;
            default:
                return 2;
        }
        switch (number) {
            case 0: return 10;
            case 1: return 11;
            case 2: return 12;
            case 1000: return 13;
            default: return 14;
        }
    }

    int caught(int i) {
        try {
            return 10 / (i % 3);
        } catch (ArithmeticException e) {
            return -1;
        } finally {
            count++;
        }
    }

    synchronized int locked() {
        synchronized (this) {
            return count;
        }
    }

    IntSupplier anonymous() {
        return new IntSupplier() {
            @Override
            public int getAsInt() {
                return count;
            }
        };
    }

    static int grid(int width, int height) {
        int[][][] cells = new int[width][height][];
        return cells.length + Kinds[].class.getName().length();
    }

    native void never();

    private final class Inner {
        private int own = count;
    }

    protected static class Nested {
        private int value() {
            List<Supplier<String>> all = new ArrayList<>();
            all.add(() -> "lambda" + count);
            all.add(String::new);
            return all.get(0).get().length() + all.get(1).get().length();
        }
    }

    abstract static class Shape {
        abstract int sides();

        static final class Square extends Shape {
            @Override
            int sides() {
                return 4;
            }
        }
    }
}

final class Unlinked {
    int field;

    int method() {
        return field;
    }
}
