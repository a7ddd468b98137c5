// One class patched and reverted many times under load: no wrong answer, nothing that piles up.

import java.lang.instrument.Instrumentation;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.util.Collections;
import java.util.Properties;
import java.util.concurrent.Callable;

final class PatchManyTests {
    private final Check check;
    private final Jars jars;
    private final Instrumentation inst;
    private final LockHolder holder;

    PatchManyTests(Check check, Jars jars, Instrumentation inst, LockHolder holder) {
        this.check = check;
        this.jars = jars;
        this.inst = inst;
        this.holder = holder;
    }

    /** A class, whose pool stays the same, is patched and reverted 500 times under load, 50 times in a session. */
    void run() throws Exception {
        Shop shop = new Shop(jars, "Price");
        Callable<String> price = shop.make("Price");
        PatchTests.Load load = new PatchTests.Load(price, "price-1 before after", "price-2 before after");
        long first = 0;
        int threads = 0;
        PatchDialog dialog = null;
        long generation = 0;
        for (int round = 0; round < 500; round++) {
            // Versions of a class that nobody runs any more are given back by a collection.
            if (round % 50 == 0) {
                if (dialog != null) {
                    ok("end", dialog.step("end"));
                }
                dialog = new PatchDialog(jars, jars.agentJar, inst, holder, PatchTests.SILENCE_MS, "shop.Price");
                generation = Long.parseLong(dialog.told.getProperty("generation"));
                long now = metaspace();
                if (round == 50) {
                    first = now; // By then all classes are loaded that this takes.
                    threads = Thread.activeCount();
                }
            }
            apply(dialog, shop, generation, "price-2");
            ok("commit", dialog.commit());
            apply(dialog, shop, generation + 1, "price-1");
            ok("commit", dialog.step("commit"));
            generation += 2;
        }
        ok("end", dialog.step("end"));
        long last = metaspace();
        check.equal("each call old or new", load.end(), Collections.emptyList());
        check.equal("as before", price.call(), "price-1 before after");
        check.that("metaspace of 450 patches and reverts", last - first < 1 << 20, (last - first) + " bytes more");
        check.that("no thread is left", Thread.activeCount() < threads + 8, threads + " " + Thread.activeCount());
    }

    private void apply(PatchDialog dialog, Shop shop, long generation, String text) throws Exception {
        ok("apply " + text, dialog.step("apply", "generation", String.valueOf(generation),
                "set.1", PatchTests.number(dialog, "shop.Price", shop),
                "set.1.file", dialog.put(Shop.edit(shop.bytes("Price"), "price-1", text)),
                "set.1.base", dialog.put(shop.bytes("Price")),
                "set.1.clear", String.valueOf("price-1".equals(text))));
    }

    private void ok(String what, Properties reply) {
        check.equal(what, reply.getProperty("outcome") + " " + reply.getProperty("message"), "ok null");
    }

    private static long metaspace() {
        System.gc();
        System.gc();
        for (MemoryPoolMXBean pool
                : ManagementFactory.getMemoryPoolMXBeans()) {
            if (pool.getName().equals("Metaspace")) {
                return pool.getUsage().getUsed();
            }
        }
        throw new IllegalStateException("no pool Metaspace");
    }
}
