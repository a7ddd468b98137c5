// A small order service to attach to: several threads place orders through nested calls, some orders are
// refused with an exception. It is the target of the demo, the examples and the tests, and keeps counters of
// its own so that a test can compare them with what an agent saw. It is no model of a good shop.
//
// Java 8, one file, no dependency. README.md beside it says how to talk to it.

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantReadWriteLock;

public final class OrderService {
    private static final int WORKERS = 3;
    private static final int[] QUANTITIES = {1, 2, 12, 3, 40}; // with a discount from 10 on; 40 is refused
    private static final long PAUSE_MILLIS = Long.getLong("orders.pauseMillis", 1);

    /** Held shared by whoever places an order, exclusively between the lines "pause" and "resume". */
    private static final ReentrantReadWriteLock GATE = new ReentrantReadWriteLock();

    private static final AtomicLong orders = new AtomicLong();

    public static void main(String[] args) throws Exception {
        CountDownLatch working = new CountDownLatch(WORKERS);
        for (int i = 1; i <= WORKERS; i++) {
            new Thread(() -> work(working), "order-worker-" + i).start();
        }
        working.await();
        System.out.println("ready pid " + pid());
        if (!Arrays.asList(args).contains("--quiet")) {
            Thread reporter = new Thread(OrderService::report, "order-reporter");
            reporter.setDaemon(true);
            reporter.start();
        }
        answer();
    }

    /** Places one order and returns its number and sum as text. */
    static String place(String article, int quantity) throws Refused {
        Calls.place.incrementAndGet();
        Stock.reserve(article, quantity);
        int cents = price(quantity);
        return "order " + orders.incrementAndGet() + ": " + quantity + " x " + article + " = " + euros(cents);
    }

    static int price(int quantity) {
        Calls.price.incrementAndGet();
        int sum = quantity * Pricing.unitPriceCents();
        return sum - Pricing.discountCents(sum, quantity);
    }

    /** Where the exception of a refused order ends. */
    private static String placeOrSayWhyNot(String article, int quantity) {
        GATE.readLock().lock();
        try {
            return place(article, quantity);
        } catch (Refused e) {
            Calls.refused.incrementAndGet();
            return "refused: " + e.getMessage();
        } finally {
            GATE.readLock().unlock();
        }
    }

    private static void work(CountDownLatch working) {
        for (int i = 0; ; i++) {
            placeOrSayWhyNot("chair", QUANTITIES[i % QUANTITIES.length]);
            working.countDown();
            sleep(PAUSE_MILLIS);
        }
    }

    private static void report() {
        while (true) {
            System.out.println(placeOrSayWhyNot("lamp", 2));
            sleep(100);
        }
    }

    /** Answers each line of stdin. At its end the service goes on: only "quit" ends it. */
    private static void answer() throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            switch (line.trim()) {
                case "order":
                    System.out.println(placeOrSayWhyNot("lamp", 2));
                    break;
                case "refuse":
                    System.out.println(placeOrSayWhyNot("lamp", 40));
                    break;
                case "count":
                    System.out.println(Calls.text());
                    break;
                case "pause":
                    if (!GATE.isWriteLockedByCurrentThread()) {
                        GATE.writeLock().lock();
                    }
                    System.out.println("paused");
                    break;
                case "resume":
                    if (GATE.isWriteLockedByCurrentThread()) {
                        GATE.writeLock().unlock();
                    }
                    System.out.println("resumed");
                    break;
                case "quit":
                    System.exit(0);
                    break;
                default:
                    System.out.println("order, refuse, count, pause, resume or quit?");
            }
        }
        if (GATE.isWriteLockedByCurrentThread()) {
            GATE.writeLock().unlock();
        }
    }

    /** Without String.format, whose output depends on the locale. */
    static String euros(int cents) {
        return cents / 100 + "." + cents / 10 % 10 + cents % 10 + " EUR";
    }

    private static void sleep(long millis) {
        if (millis <= 0) {
            return;
        }
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Our pid as we see it: 1 in a container of our own. ProcessHandle came with JDK 9 only. */
    private static String pid() throws IOException {
        File self = new File("/proc/self");
        return self.exists() ? self.getCanonicalFile().getName() : "unknown";
    }
}

/** What things cost. */
final class Pricing {
    private Pricing() {}

    /** Above 32,767, so that the class file holds it as a CONSTANT_Integer that an agent can change. */
    static int unitPriceCents() {
        Calls.unitPriceCents.incrementAndGet();
        return 129900;
    }

    /** Five percent from ten pieces on. */
    static int discountCents(int sum, int quantity) {
        Calls.discountCents.incrementAndGet();
        return quantity >= 10 ? sum / 20 : 0;
    }
}

/** What is on the shelf: always the same, as it is filled up every night. */
final class Stock {
    private static final int ON_THE_SHELF = 30;

    private Stock() {}

    static void reserve(String article, int quantity) throws Refused {
        Calls.reserve.incrementAndGet();
        take(article, quantity);
    }

    /** The exception passes through reserve and OrderService.place. */
    static void take(String article, int quantity) throws Refused {
        Calls.take.incrementAndGet();
        if (quantity > ON_THE_SHELF) {
            throw new Refused(quantity + " x " + article + ", but only " + ON_THE_SHELF + " on the shelf");
        }
    }
}

/** An order that is not placed. */
final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    Refused(String message) {
        super(message);
    }
}

/** How often each method was called, and how many orders were refused: the truth to compare an agent with. */
final class Calls {
    static final AtomicLong place = new AtomicLong();
    static final AtomicLong price = new AtomicLong();
    static final AtomicLong unitPriceCents = new AtomicLong();
    static final AtomicLong discountCents = new AtomicLong();
    static final AtomicLong reserve = new AtomicLong();
    static final AtomicLong take = new AtomicLong();
    static final AtomicLong refused = new AtomicLong();

    private Calls() {}

    static String text() {
        return "count place=" + place + " price=" + price + " unitPriceCents=" + unitPriceCents
            + " discountCents=" + discountCents + " reserve=" + reserve + " take=" + take
            + " refused=" + refused;
    }
}
