/* In BOOT-INF/classes. `say` prints what desk and prices say, `count` how many calls there were and how many said neither. */
package shop.desk;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

import shop.prices.Prices;

public final class Desk {
    static final AtomicLong calls = new AtomicLong();
    static final AtomicLong failed = new AtomicLong();

    public static void main(String[] args) throws Exception {
        CountDownLatch working = new CountDownLatch(1);
        Thread worker = new Thread(() -> work(working), "worker");
        worker.setDaemon(true);
        worker.start();
        working.await();
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            System.out.println(line.equals("count")
                    ? "count " + calls + " failed " + failed
                    : "says desk=" + Answers.answer() + " price=" + Prices.of("lamp"));
        }
    }

    private static void work(CountDownLatch working) {
        for (long round = 0; ; round++) {
            for (String said : new String[] {Answers.answer(), Prices.of("lamp")}) {
                if (!said.equals("OLD") && !said.equals("NE" + "W")) {
                    failed.incrementAndGet();
                }
                calls.incrementAndGet();
            }
            working.countDown();
            if (round % 64 == 0) {
                Thread.yield();
            }
        }
    }
}
