/*
 * What `cargo xtask bench trace` traces: a method of some 2 ns in a loop. For each line `run THREADS MILLIS` on
 * stdin it calls the method so long on so many threads, and says `window CALLS WALL CPU`: how many calls, and the
 * nanoseconds of all threads together, by the clock and of processor time. `pulse` has a thread call it every
 * millisecond from then on.
 *
 * With `clocks` it calls the method that reads the clock twice by hand.
 */
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.CountDownLatch;

public final class TracedCalls {
    /** Calls between two looks at the clock. */
    private static final int BATCH = 1_000;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    /** What is called. Each result is the next argument, so that no call can be left out or go before another. */
    static final class Work {
        private long cost;

        long step(long x) {
            x ^= x << 13;
            x ^= x >>> 7;
            return x ^ x << 17;
        }

        long timedStep(long x) {
            long start = System.nanoTime();
            x ^= x << 13;
            x ^= x >>> 7;
            x ^= x << 17;
            cost = System.nanoTime() - start;
            return x;
        }

        long steps(long x) {
            for (int i = 0; i < BATCH; i++) {
                x = step(x);
            }
            return x;
        }

        long timedSteps(long x) {
            for (int i = 0; i < BATCH; i++) {
                x = timedStep(x);
            }
            return x;
        }
    }

    /** One thread of a window. */
    private static final class Worker extends Thread {
        private final boolean clocks;
        private final long nanos;
        private final CountDownLatch together;
        private long calls;
        private long wall;
        private long cpu;
        private long result;

        Worker(boolean clocks, long nanos, CountDownLatch together) {
            this.clocks = clocks;
            this.nanos = nanos;
            this.together = together;
        }

        @Override
        public void run() {
            Work work = new Work();
            long x = 88172645463325252L;
            long done = 0;
            together.countDown();
            try {
                together.await();
            } catch (InterruptedException e) {
                return;
            }
            long cpuStart = THREADS.getCurrentThreadCpuTime();
            long start = System.nanoTime();
            long now = start;
            while (now - start < nanos) {
                x = clocks ? work.timedSteps(x) : work.steps(x);
                done += BATCH;
                now = System.nanoTime();
            }
            cpu = THREADS.getCurrentThreadCpuTime() - cpuStart;
            wall = now - start;
            calls = done;
            result = x + work.cost;
        }
    }

    public static void main(String[] args) throws Exception {
        boolean clocks = args.length > 0 && args[0].equals("clocks");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        // What is traced has to be loaded by then.
        window(clocks, 1, 1_000_000);
        System.out.println("ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            if (words[0].equals("run")) {
                window(clocks, Integer.parseInt(words[1]), Long.parseLong(words[2]) * 1_000_000);
            } else if (words[0].equals("pulse")) {
                pulse();
            }
        }
    }

    private static void window(boolean clocks, int threads, long nanos) throws InterruptedException {
        CountDownLatch together = new CountDownLatch(threads);
        Worker[] workers = new Worker[threads];
        for (int i = 0; i < threads; i++) {
            workers[i] = new Worker(clocks, nanos, together);
            workers[i].start();
        }
        long calls = 0;
        long wall = 0;
        long cpu = 0;
        long result = 0;
        for (Worker worker : workers) {
            worker.join();
            calls += worker.calls;
            wall += worker.wall;
            cpu += worker.cpu;
            result += worker.result;
        }
        System.out.println("window " + calls + " " + wall + " " + cpu + " " + result);
    }

    private static void pulse() {
        Thread thread = new Thread(() -> {
            Work work = new Work();
            for (long x = 1; x != 0; x = work.step(x)) {
                try {
                    Thread.sleep(1);
                } catch (InterruptedException e) {
                    return;
                }
            }
        }, "pulse");
        thread.setDaemon(true);
        thread.start();
        System.out.println("pulsing");
    }
}
