// A program under load, whose throughput can be asked for: "run MILLIS" works for so long on two threads and says how many
// operations that were; "start" and "stop" do it without end. Java 8.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.atomic.AtomicLongArray;

public final class Load {
    private static final int THREADS = 2;
    /** Far apart, so that the threads do not meet. */
    private static final AtomicLongArray counts = new AtomicLongArray(THREADS * 32);

    private static volatile boolean working;

    public static void main(String[] args) throws Exception {
        for (int i = 0; i < THREADS; i++) {
            int at = i * 32;
            Thread thread = new Thread(() -> work(at), "load-" + i);
            thread.setDaemon(true);
            thread.start();
        }
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            working = !words[0].equals("stop");
            long before = count();
            long start = System.nanoTime();
            if (words[0].equals("run")) {
                Thread.sleep(Long.parseLong(words[1]));
                working = false;
            }
            System.out.println(words[0] + " " + (count() - before) + " " + (System.nanoTime() - start));
        }
    }

    private static long count() {
        long sum = 0;
        for (int i = 0; i < THREADS; i++) {
            sum += counts.get(i * 32);
        }
        return sum;
    }

    private static void work(int at) {
        Work work = new Work();
        while (true) {
            if (!working) {
                try {
                    Thread.sleep(1);
                } catch (InterruptedException e) {
                    return;
                }
                continue;
            }
            long done = 0;
            for (int i = 0; i < 100; i++) {
                done += work.step(i) != 0 ? 1 : 1;
            }
            counts.lazySet(at, counts.get(at) + done);
        }
    }
}

final class Work {
    private int state = 1;

    int step(int n) {
        return mix(n) + refused(n);
    }

    private int mix(int n) {
        int x = state + n;
        for (int i = 0; i < 50; i++) {
            x = x * 31 + (x >>> 7);
        }
        return state = x;
    }

    private int refused(int n) {
        try {
            return check(n);
        } catch (IllegalStateException e) {
            return 0;
        }
    }

    private int check(int n) {
        if (n == 99) {
            throw new IllegalStateException();
        }
        return n;
    }
}
