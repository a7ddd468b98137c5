// The bundle: calls its own method all the time, and tells on stdin's demand how often that went well.

package example;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.atomic.AtomicLong;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

public final class Activator implements BundleActivator {
    private static final AtomicLong done = new AtomicLong();
    private static final AtomicLong failed = new AtomicLong();
    private static volatile Throwable why;

    @Override
    public void start(BundleContext context) throws Exception {
        try {
            Activator.class.getClassLoader().loadClass("jdk.internal.misc.Unsafe");
            throw new AssertionError("it asks the boot loader for everything");
        } catch (ClassNotFoundException expected) {
            new Thread(Activator::work, "greeter").start();
        }
        Thread answers = new Thread(Activator::answer, "answers");
        answers.start();
    }

    private static void work() {
        for (int i = 0; ; i++) {
            try {
                if (!Greeter.greet("you", i % 5).startsWith("hello")) {
                    throw new AssertionError();
                }
                done.incrementAndGet();
            } catch (IllegalArgumentException expected) {
                done.incrementAndGet();
            } catch (Throwable e) {
                why = e;
                failed.incrementAndGet();
            }
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private static void answer() {
        System.out.println("ready");
        try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in))) {
            while (in.readLine() != null) {
                System.out.println("done " + done + " failed " + failed + " " + why);
            }
        } catch (java.io.IOException e) {
            System.out.println(e);
        }
    }

    @Override
    public void stop(BundleContext context) {}
}

final class Greeter {
    static String greet(String whom, int n) {
        if (n == 4) {
            throw new IllegalArgumentException();
        }
        return "hello " + whom;
    }
}
