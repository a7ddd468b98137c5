/*
 * A service to be patched: every kind of class that has a body to change, called by eight threads all the time. Each says
 * what version it is; `say` prints that, `count` how many calls there were, and how many said neither. The threads call a
 * hundred times, which makes the code hot, and rest for a millisecond, so that there is something left of the machine for
 * who patches; with -Dpatched.busy=true they never rest.
 */
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

public final class Patched {
    static final List<Supplier<String>> KINDS = new ArrayList<>();
    static final List<String> NAMES = new ArrayList<>();
    static final boolean BUSY = Boolean.getBoolean("patched.busy");
    static final AtomicLong calls = new AtomicLong();
    static final AtomicLong failed = new AtomicLong();
    static volatile String failure = "none";
    static URL[] folder;

    static void kind(String name, Supplier<String> says) {
        NAMES.add(name);
        KINDS.add(says);
    }

    public static void main(String[] args) throws Exception {
        URL[] urls = {new File(args[0]).toURI().toURL()};
        folder = urls;
        // Each with a class of the same name of its own.
        Supplier<?>[] twice = new Supplier<?>[2];
        for (int i = 0; i < twice.length; i++) {
            URLClassLoader loader = new URLClassLoader(urls, Patched.class.getClassLoader());
            twice[i] = (Supplier<?>) loader.loadClass("Twice").getDeclaredConstructor().newInstance();
        }
        kind("lambda", Lambdas::says);
        kind("inner", () -> new Outer().new Inner().says());
        kind("enum", Shade.DARK::says);
        kind("default", () -> new Saying() { }.says());
        kind("boot", OnBoot::says);
        kind("one", () -> (String) twice[0].get());
        kind("two", () -> (String) twice[1].get());
        kind("concat", () -> Concat.says(7).substring(2));
        for (Supplier<String> kind : KINDS) {
            kind.get();
        }
        CountDownLatch working = new CountDownLatch(8);
        for (int i = 0; i < 8; i++) {
            Thread worker = new Thread(() -> work(working), "worker-" + i);
            worker.setDaemon(true);
            worker.start();
        }
        working.await();
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            answer(line);
        }
    }

    private static void answer(String line) {
        if (line.equals("count")) {
            System.out.println("count " + calls + " failed " + failed + " " + failure);
        } else if (line.equals("later")) {
            System.out.println("later " + Later.says());
        } else if (line.equals("block")) {
            block();
            System.out.println("blocks");
        } else if (line.equals("stay")) {
            Thread old = new Thread(() -> Stays.run(), "in-old-code");
            old.setDaemon(true);
            old.start();
            while (!Stays.isIn) {
                Thread.yield();
            }
            System.out.println("stays");
        } else {
            StringBuilder says = new StringBuilder("says");
            for (int i = 0; i < KINDS.size(); i++) {
                says.append(' ').append(NAMES.get(i)).append('=').append(KINDS.get(i).get());
            }
            System.out.println(says);
        }
    }

    /** From now on there is a class loader that never finds anything. */
    private static void block() {
        try {
            new URLClassLoader(folder, null) {
                @Override
                public URL findResource(String name) {
                    try {
                        Thread.sleep(Long.MAX_VALUE);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return null;
                }
            }.loadClass("Twice");
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void work(CountDownLatch working) {
        for (long round = 0; ; round++) {
            for (Supplier<String> kind : KINDS) {
                try {
                    String said = kind.get();
                    if (!said.equals("OLD") && !said.equals("NE" + "W") && !said.equals("NE" + "XT")) {
                        throw new IllegalStateException(said);
                    }
                } catch (Throwable t) {
                    failure = t.toString();
                    failed.incrementAndGet();
                }
                calls.incrementAndGet();
            }
            working.countDown();
            if (round % 64 == 0) {
                Thread.yield();
            }
            if (round % 12 == 0 && !BUSY) {
                LockSupport.parkNanos(1_000_000);
            }
        }
    }
}

class Lambdas {
    static String says() {
        Supplier<String> inner = () -> "LD".trim();
        Supplier<String> says = () -> "OLD";
        return says.get().concat(inner.get().substring(2));
    }

    static String says(int unused) {
        return "OLD";
    }
}

class Outer {
    private final String end = "";

    class Inner {
        String says() {
            return "OLD" + end;
        }
    }
}

enum Shade {
    DARK, LIGHT;

    String says() {
        return this == DARK ? "OLD" : "OLD";
    }
}

interface Saying {
    default String says() {
        return "OLD";
    }
}

class Concat {
    static String says(int number) {
        return number + ":" + "OLD";
    }
}

class Later {
    static String says() {
        return "OLD";
    }
}

class Stays {
    static volatile boolean isIn;

    static void run() {
        String said = "OLD";
        isIn = true;
        while (isIn) {
            Thread.yield();
        }
        System.out.println("left " + said);
    }
}
