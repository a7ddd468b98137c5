// Two threads load the class Fresh again and again, each time in a new loader, so that a class file load hook is being
// called at nearly every moment. Answers each line of stdin as soon as one more class was loaded.

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

public final class ClassChurn {
    private static final AtomicLong LOADED = new AtomicLong();

    public static void main(String[] args) throws Exception {
        URL[] here = {new File(args[0]).toURI().toURL()};
        CountDownLatch begun = new CountDownLatch(2);
        for (int i = 0; i < 2; i++) {
            Thread thread = new Thread(() -> churn(here, begun), "churn-" + i);
            thread.setDaemon(true);
            thread.start();
        }
        begun.await();
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            for (long before = LOADED.get(); LOADED.get() == before; ) {
                Thread.sleep(1);
            }
            System.out.println("loaded " + LOADED);
        }
    }

    private static void churn(URL[] here, CountDownLatch begun) {
        try {
            while (true) {
                try (URLClassLoader loader = new URLClassLoader(here, null)) {
                    loader.loadClass("Fresh");
                }
                LOADED.incrementAndGet();
                begun.countDown();
            }
        } catch (Throwable e) {
            e.printStackTrace();
        }
    }
}

final class Fresh {
    private Fresh() {}
}
