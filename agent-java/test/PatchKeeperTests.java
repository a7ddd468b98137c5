// Patches among other agents: their edits are still there after a patch, after a revert, and after they retransform, on
// JVMs that forget a redefinition (before 20) too. And classes that are patched when they are loaded.

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.ProtectionDomain;
import java.util.Collections;
import java.util.Properties;
import java.util.concurrent.Callable;

final class PatchKeeperTests {
    private final Check check;
    private final Jars jars;
    private final Instrumentation inst;
    private final LockHolder holder;

    PatchKeeperTests(Check check, Jars jars, Instrumentation inst, LockHolder holder) {
        this.check = check;
        this.jars = jars;
        this.inst = inst;
        this.holder = holder;
    }

    void run() throws Exception {
        foreign();
        foreignOnlyWhilePatched();
        pendingIsKept();
        late("Lat1", false);
        late("Lat2", true);
        lateAlreadyThere("Lat3");
        forgotten("Lat4");
    }

    /** An agent that puts another text into a class, at load and at each retransformation. */
    private static final class Edit implements ClassFileTransformer {
        private final String text;

        Edit(String text) {
            this.text = text;
        }

        @Override
        public byte[] transform(ClassLoader loader, String name, Class<?> c, ProtectionDomain domain, byte[] bytes) {
            return name != null && name.startsWith("shop/")
                    ? Shop.edit(bytes, text, text.toUpperCase(java.util.Locale.ROOT)) : null;
        }
    }

    private PatchDialog open(Path agentJar, String name) throws Exception {
        return new PatchDialog(jars, agentJar, inst, holder, PatchTests.SILENCE_MS, name);
    }

    private void ok(String what, Properties reply) {
        check.equal(what, reply.getProperty("outcome") + " " + reply.getProperty("message"), "ok null");
    }

    /** Other code for the price, committed. The base is the class's own again where {@code text} is price-1. */
    private void patch(Path agentJar, Shop shop, String text) throws Exception {
        PatchDialog dialog = open(agentJar, "shop.Price");
        apply(dialog, shop, text);
        ok("commit", "price-1".equals(text) ? dialog.step("commit") : dialog.commit());
        ok("end", dialog.step("end"));
    }

    private void apply(PatchDialog dialog, Shop shop, String text) throws Exception {
        ok("apply " + text, dialog.step("apply", "generation", dialog.told.getProperty("generation"),
                "set.1", PatchTests.number(dialog, "shop.Price", shop),
                "set.1.file", dialog.put(Shop.edit(shop.bytes("Price"), "price-1", text)),
                "set.1.base", dialog.put(shop.bytes("Price")),
                "set.1.clear", String.valueOf("price-1".equals(text))));
    }

    private void comes(String what, final Callable<String> of, final String answer) throws Exception {
        try {
            PatchDialog.await(new Callable<Boolean>() {
                @Override
                public Boolean call() throws Exception {
                    return answer.equals(of.call());
                }
            }, answer);
        } catch (java.io.IOException inVain) {
            check.equal(what, of.call(), answer);
        }
    }

    /** One agent before us, one after us, each on and off around apply and revert; by two versions of ours. */
    private void foreign() throws Exception {
        Path second = jars.variant("unknown verb", "UNKNOWN VERB");
        Shop shop = new Shop(jars, "Price");
        Callable<String> price = shop.make("Price");
        Class<?> c = price.getClass();
        Edit before = new Edit("before");
        Edit after = new Edit("after");

        inst.addTransformer(before, true);
        inst.retransformClasses(c);
        check.equal("an agent before us", price.call(), "price-1 BEFORE after");
        PatchTests.Load load = new PatchTests.Load(price, "price-1 BEFORE after", "price-2 BEFORE after",
                "price-2 before after", "price-2 before AFTER", "price-2 BEFORE AFTER", "price-3 BEFORE AFTER",
                "price-3 before AFTER", "price-3 before after", "price-1 before AFTER", "price-1 before after");
        patch(jars.agentJar, shop, "price-2");
        check.equal("is there after a patch", price.call(), "price-2 BEFORE after");
        inst.retransformClasses(c);
        comes("and after it retransformed", price, "price-2 BEFORE after");

        inst.addTransformer(after, true);
        inst.retransformClasses(c);
        comes("with an agent after us", price, "price-2 BEFORE AFTER");
        patch(second, shop, "price-3");
        check.equal("both are there after another patch", price.call(), "price-3 BEFORE AFTER");
        inst.retransformClasses(c);
        comes("and after they retransformed", price, "price-3 BEFORE AFTER");

        inst.removeTransformer(before);
        inst.retransformClasses(c);
        comes("one goes", price, "price-3 before AFTER");
        patch(jars.agentJar, shop, "price-1");
        check.equal("one is there after the revert", price.call(), "price-1 before AFTER");
        inst.removeTransformer(after);
        inst.retransformClasses(c);
        comes("all as before", price, "price-1 before after");
        check.equal("each call old or new", load.end(), Collections.emptyList());
        check.equal("no journal", PatchTests.journals(), Collections.emptyList());
    }

    /** The JVM puts bytes aside when an agent edits a class for the first time: here those of the patch. */
    private void foreignOnlyWhilePatched() throws Exception {
        Shop shop = new Shop(jars, "Price");
        Callable<String> price = shop.make("Price");
        patch(jars.agentJar, shop, "price-2");
        Edit before = new Edit("before");
        inst.addTransformer(before, true);
        inst.retransformClasses(price.getClass());
        comes("an agent comes", price, "price-2 BEFORE after");
        patch(jars.agentJar, shop, "price-1");
        check.equal("the patch goes", price.call(), "price-1 BEFORE after");
        inst.removeTransformer(before);
        inst.retransformClasses(price.getClass());
        comes("the agent goes", price, "price-1 before after");
        inst.retransformClasses(price.getClass());
        check.equal("the patch does not come back", price.call(), "price-1 before after");
    }

    /** What is not committed yet holds, and what was rolled back does not come back. */
    private void pendingIsKept() throws Exception {
        Shop shop = new Shop(jars, "Price");
        Callable<String> price = shop.make("Price");
        PatchDialog dialog = open(jars.agentJar, "shop.Price");
        apply(dialog, shop, "price-2");
        Edit after = new Edit("after");
        inst.addTransformer(after, true);
        inst.retransformClasses(price.getClass());
        comes("an agent comes meanwhile", price, "price-2 before AFTER");
        ok("rollback", dialog.step("rollback"));
        check.equal("rolled back", price.call(), "price-1 before AFTER");
        inst.removeTransformer(after);
        inst.retransformClasses(price.getClass());
        comes("the agent goes", price, "price-1 before after");
        ok("end", dialog.step("end"));
    }

    private String[] loadStep(PatchDialog dialog, Shop shop) throws Exception {
        String id = null;
        for (int k = 1; dialog.told.getProperty("candidate.1." + k + ".loader.id") != null; k++) {
            if (dialog.told.getProperty("candidate.1." + k + ".loader.id")
                    .equals(String.valueOf(System.identityHashCode(shop.loader)))) {
                id = "1." + k;
            }
        }
        byte[] base = dialog.file("candidate." + id + ".file");
        return new String[] {"apply", "generation", dialog.told.getProperty("generation"), "load.1", id,
            "load.1.file", dialog.put(Shop.edit(base, "late-1", "late-2")), "load.1.base", dialog.put(base)};
    }

    private PatchDialog waitFor(Shop shop, String name) throws Exception {
        shop.make("Tax"); // A loader without classes is not known.
        PatchDialog dialog = open(jars.agentJar, "shop." + name);
        ok("a class to wait for", dialog.step(loadStep(dialog, shop)));
        return dialog;
    }

    private void late(final String name, boolean amongOthers) throws Exception {
        Shop shop = new Shop(jars, name, "Tax");
        Edit before = new Edit("before");
        if (amongOthers) {
            inst.addTransformer(before, true);
        }
        PatchDialog dialog = waitFor(shop, name);
        ok("commit", dialog.commit());
        ok("end", dialog.step("end"));
        final PatchDialog told = open(jars.agentJar, "shop.Nowhere");
        check.equal("it is waited for", told.told.getProperty("wanted.1"), "shop." + name);
        check.equal("in its loader", told.told.getProperty("wanted.loader.id.1"),
                String.valueOf(System.identityHashCode(shop.loader)));
        check.contains("as it will be", new String(told.file("wanted.current.1"), StandardCharsets.ISO_8859_1),
                "late-2");
        ok("end", told.step("end"));

        Callable<String> late = shop.make(name);
        if (!amongOthers) {
            check.equal("its first call", late.call(), "late-2 before after");
        }
        // Its initializer has run by then: that is the price of another agent's edit at load.
        final Shop shops = shop;
        PatchDialog.await(new Callable<Boolean>() {
            @Override
            public Boolean call() throws Exception {
                PatchDialog now = open(jars.agentJar, "shop." + name);
                now.step("end");
                return "kept".equals(now.told.getProperty("base.kind."
                        + PatchTests.number(now, "shop." + name, shops))) && now.told.getProperty("wanted.1") == null;
            }
        }, "the class in the state");
        check.contains("the edit of the other agent", late.call(), amongOthers ? " BEFORE after" : " before after");
        inst.removeTransformer(before);
        inst.retransformClasses(late.getClass());
        comes("it stays patched when others retransform", late, (amongOthers ? late.call().substring(0, 6) : "late-2")
                + " before after");
        dialog = open(jars.agentJar, "shop." + name);
        String n = PatchTests.number(dialog, "shop." + name, shop);
        check.contains("it is patched", new String(dialog.file("current." + n), StandardCharsets.ISO_8859_1), "late-2");
        check.that("its base", java.util.Arrays.equals(dialog.file("base." + n), shop.bytes(name)), "another");
        ok("revert", dialog.step("apply", "generation", dialog.told.getProperty("generation"), "set.1", n,
                "set.1.file", dialog.put(shop.bytes(name)), "set.1.clear", "true"));
        ok("commit", dialog.step("commit"));
        ok("end", dialog.step("end"));
        check.equal("no journal", PatchTests.journals(), Collections.emptyList());
    }

    private void lateAlreadyThere(String name) throws Exception {
        Shop shop = new Shop(jars, name, "Tax");
        PatchDialog dialog = waitFor(shop, name);
        Callable<String> late = shop.make(name);
        check.equal("not before the commit", late.call(), "late-1 before after");
        ok("commit", dialog.commit());
        ok("end", dialog.step("end"));
        check.that("it was there before the commit", patched(shop, name), "not patched");
        forget(shop, name);
    }

    private boolean patched(final Shop shop, final String name) throws Exception {
        PatchDialog.await(new Callable<Boolean>() {
            @Override
            public Boolean call() throws Exception {
                PatchDialog now = open(jars.agentJar, "shop." + name);
                now.step("end");
                return now.told.getProperty("current." + PatchTests.number(now, "shop." + name, shop)) != null;
            }
        }, "a patched class");
        return true;
    }

    private void forget(Shop shop, String name) throws Exception {
        PatchDialog dialog = open(jars.agentJar, "shop." + name);
        ok("revert", dialog.step("apply", "generation", dialog.told.getProperty("generation"), "set.1",
                PatchTests.number(dialog, "shop." + name, shop), "set.1.file", dialog.put(shop.bytes(name)),
                "set.1.clear", "true"));
        ok("commit", dialog.step("commit"));
        ok("end", dialog.step("end"));
    }

    private void forgotten(String name) throws Exception {
        Shop shop = new Shop(jars, name, "Tax");
        PatchDialog dialog = waitFor(shop, name);
        ok("commit", dialog.commit());
        ok("end", dialog.step("end"));
        dialog = open(jars.agentJar, "shop." + name);
        ok("forget", dialog.step("apply", "generation", dialog.told.getProperty("generation"), "forget.1", "1"));
        ok("commit", dialog.step("commit"));
        ok("end", dialog.step("end"));
        check.equal("a class that is not waited for", shop.make(name).call(), "late-1 before after");
        check.equal("no journal", PatchTests.journals(), Collections.emptyList());
    }
}
