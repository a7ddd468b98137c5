// Methods to trace, for tests: what leaves them is said by their names. Each line of stdin names one, which is called
// 100 times; what they throw ends here. Java 8, and virtual threads where there are some.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

public final class TraceCases {
    static final AtomicLong calls = new AtomicLong();
    static int finallies;

    public static void main(String[] args) throws Exception {
        Cases.nothing(); // is loaded by that, and can be named
        new Square().sides();
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            System.out.println("done " + line + " " + run(line));
        }
    }

    private static String run(String name) throws Exception {
        if (name.startsWith("many ")) {
            return many(name.split(" "));
        }
        switch (name) {
            case "threads":
                return threads();
            case "crowd":
                return crowd();
            case "lazy":
                return "" + Lazy.VALUE;
            case "subtypes":
                return new Square().sides() + " " + new Oblong().sides();
            case "slow":
                new Thread(() -> new SlowLoader().load()).start();
                SlowLoader.asked.await();
                return "asked";
            case "slow-on":
                SlowLoader.goOn.countDown();
                return SlowLoader.made.take().toString();
            case "exit":
                hammer();
                System.exit(7);
                return "";
            default:
                String thrown = "nothing";
                for (int i = 0; i < 100; i++) {
                    try {
                        Cases.class.getDeclaredMethod(name).invoke(null);
                    } catch (java.lang.reflect.InvocationTargetException e) {
                        thrown = e.getCause().getClass().getName();
                    }
                }
                return thrown;
        }
    }

    /** Exceptions of as many classes, from one number on to before another. */
    private static String many(String[] words) throws Exception {
        ManyLoader classes = new ManyLoader();
        for (int number = Integer.parseInt(words[1]); number < Integer.parseInt(words[2]); number++) {
            RuntimeException one = classes.exception(number);
            try {
                Cases.many(one);
            } catch (RuntimeException expected) {
                finallies++;
            }
        }
        return words[2];
    }

    /** So many threads that a list of them is long. */
    private static String crowd() throws Exception {
        int count = 3000;
        CountDownLatch started = new CountDownLatch(count);
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(null, () -> {
                started.countDown();
                LockSupport.park();
            }, "crowd-" + i, 128 << 10);
            thread.setDaemon(true);
            thread.start();
        }
        started.await();
        return "" + count;
    }

    /** Calls from 50 threads, virtual ones where there are such, that are parked between them. */
    private static String threads() throws Exception {
        ExecutorService threads;
        try {
            threads = (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        } catch (ReflectiveOperationException e) {
            threads = Executors.newFixedThreadPool(50);
        }
        List<Future<?>> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            all.add(threads.submit(() -> {
                for (int j = 0; j < 20; j++) {
                    Cases.parked();
                }
                return null;
            }));
        }
        for (Future<?> one : all) {
            one.get();
        }
        threads.shutdown();
        return "" + calls.get();
    }

    /** Threads that call and do not stop. */
    private static void hammer() {
        for (int i = 0; i < 4; i++) {
            Thread thread = new Thread(() -> {
                while (true) {
                    try {
                        Cases.own_new();
                    } catch (IllegalStateException expected) {
                        finallies++;
                    }
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
    }
}

final class Lazy {
    static final int VALUE = value();

    static {
        if (VALUE != 42) {
            throw new AssertionError(VALUE);
        }
    }

    static int value() {
        return 42;
    }
}

final class Cases {
    static final Object LOCK = new Object();

    static void own_new() {
        throw new IllegalStateException();
    }

    static int jvm_null() {
        return TraceCases.calls.get() < 0 ? 1 : nothing().length();
    }

    static String nothing() {
        return null;
    }

    static int jvm_index() {
        int[] one = new int[1];
        return one[(int) TraceCases.calls.get() + 1];
    }

    static int jvm_divide() {
        return 1 / (int) (TraceCases.calls.get() & 0);
    }

    static String jvm_cast() {
        return (String) LOCK;
    }

    static void own_synchronized() {
        synchronized (LOCK) {
            throw new IllegalStateException();
        }
    }

    static void own_finally() {
        try {
            throw new IllegalStateException();
        } finally {
            TraceCases.finallies++;
        }
    }

    static void own_made_elsewhere() {
        throw made();
    }

    static IllegalStateException made() {
        return new IllegalStateException();
    }

    static void own_again() {
        try {
            own_new();
        } catch (IllegalStateException e) {
            TraceCases.finallies++;
            throw e;
        }
    }

    static void pass_plain() {
        own_new();
    }

    static void pass_finally() {
        try {
            own_new();
        } finally {
            TraceCases.finallies++;
        }
    }

    static void pass_synchronized() {
        synchronized (LOCK) {
            own_new();
        }
    }

    static void pass_after_own() {
        try {
            throw new UnsupportedOperationException();
        } catch (UnsupportedOperationException e) {
            own_new();
        }
    }

    static void pass_null() {
        Objects.requireNonNull(null);
    }

    static void parked() throws InterruptedException {
        TraceCases.calls.incrementAndGet();
        Thread.sleep(1);
    }

    static void many(RuntimeException one) {
        throw one;
    }

    static int deep() {
        return 1 + deep();
    }

    static void memory() {
        List<long[]> all = new ArrayList<>();
        while (true) {
            all.add(filled());
        }
    }

    static long[] filled() {
        return new long[1 << 20];
    }
}

class Broken0000 extends RuntimeException {
}

/** Has classes of exceptions that differ in their number alone. */
final class ManyLoader extends ClassLoader {
    RuntimeException exception(int number) throws Exception {
        StringBuilder name = new StringBuilder("" + number);
        while (name.length() < 4) {
            name.insert(0, '0');
        }
        byte[] bytes = new byte[1 << 12];
        int length;
        try (java.io.InputStream in = TraceCases.class.getResourceAsStream("Broken0000.class")) {
            length = in.read(bytes);
        }
        // Each byte is a character, so that text can be replaced in it.
        String renamed = new String(bytes, 0, length, "ISO-8859-1").replace("Broken0000", "Broken" + name);
        Class<?> type = defineClass(null, renamed.getBytes("ISO-8859-1"), 0, length);
        java.lang.reflect.Constructor<?> constructor = type.getDeclaredConstructor();
        constructor.setAccessible(true);
        return (RuntimeException) constructor.newInstance();
    }
}

interface Shape {
    int sides();
}

final class Square implements Shape {
    @Override
    public int sides() {
        return 4;
    }
}

class Rectangle implements Shape {
    @Override
    public int sides() {
        return 4;
    }
}

/** Comes through the hook before what it extends does. */
final class Oblong extends Rectangle {
    @Override
    public int sides() {
        return super.sides();
    }
}

class SlowBase {
}

final class SlowPlugIn extends SlowBase {
    @Override
    public String toString() {
        return "plug-in";
    }
}

/** Has the class file of SlowPlugIn defined, and keeps the JVM waiting for what it extends. */
final class SlowLoader extends ClassLoader {
    static final CountDownLatch asked = new CountDownLatch(1);
    static final CountDownLatch goOn = new CountDownLatch(1);
    static final java.util.concurrent.LinkedBlockingQueue<Object> made = new java.util.concurrent.LinkedBlockingQueue<>();

    SlowLoader() {
        super(null);
    }

    void load() {
        try {
            made.add(Class.forName("SlowPlugIn", true, this).getName());
        } catch (ReflectiveOperationException e) {
            made.add(e);
        }
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        if (name.equals("SlowBase")) {
            asked.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
        java.io.InputStream in = TraceCases.class.getResourceAsStream(name + ".class");
        if (in == null) {
            throw new ClassNotFoundException(name);
        }
        try {
            byte[] bytes = new byte[1 << 16];
            int length = 0;
            for (int n; (n = in.read(bytes, length, bytes.length - length)) > 0;) {
                length += n;
            }
            return defineClass(name, bytes, 0, length);
        } catch (java.io.IOException e) {
            throw new ClassNotFoundException(name, e);
        }
    }
}
