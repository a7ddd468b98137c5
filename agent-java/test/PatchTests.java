// Patches of loaded classes: apply, commit, rollback and revert, and that nothing is left of what was not committed.

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

final class PatchTests {
    static final long SILENCE_MS = 60000;

    private final Check check;
    private final Jars jars;
    private final Instrumentation inst;
    private final LockHolder holder;

    PatchTests(Check check, Jars jars, Instrumentation inst, LockHolder holder) {
        this.check = check;
        this.jars = jars;
        this.inst = inst;
        this.holder = holder;
    }

    void run() throws Exception {
        told();
        applyAndRevert();
        rollback();
        abandoned();
        conflicts();
        refused();
        helpers();
        hand();
        wrongSteps();
    }

    private PatchDialog open(String... classes) throws Exception {
        return new PatchDialog(jars, jars.agentJar, inst, holder, SILENCE_MS, classes);
    }

    private void ok(String what, Properties reply) {
        check.equal(what, reply.getProperty("outcome") + " " + reply.getProperty("message"), "ok null");
    }

    private void failed(String what, Properties reply, String stage, String words) {
        check.equal(what + ": outcome", reply.getProperty("outcome"), "failed");
        check.equal(what + ": stage", reply.getProperty("stage"), stage);
        check.contains(what + ": message", reply.getProperty("message"), words);
    }

    /** What is open in this process under the journal's name. */
    static List<String> journals() throws Exception {
        List<String> texts = new ArrayList<String>();
        for (File fd : new File("/proc/self/fd").listFiles()) {
            try {
                Path link = Files.readSymbolicLink(fd.toPath());
                if (link.toString().endsWith("/jgraft-journal (deleted)")) {
                    texts.add(new String(Files.readAllBytes(fd.toPath()), StandardCharsets.ISO_8859_1));
                }
            } catch (java.nio.file.NoSuchFileException closedMeanwhile) {
                continue;
            }
        }
        return texts;
    }

    private void told() throws Exception {
        Shop one = new Shop(jars, "Price", "Tax");
        Shop two = new Shop(jars, "Price");
        one.make("Price");
        two.make("Price");
        PatchDialog dialog = open("shop.Price", "shop.Tax", "java.lang.String", "shop.Nowhere", "shop.Price");
        Properties told = dialog.told;
        ok("what is there", told);
        check.equal("nothing was committed", told.getProperty("generation"), "0");
        List<String> loaders = new ArrayList<String>();
        for (int n = 1; n <= 3; n++) {
            String name = told.getProperty("class." + n);
            check.equal(name + " modifiable", told.getProperty("modifiable." + n), "true");
            check.equal(name + " kind", told.getProperty("base.kind." + n), "resource");
            check.equal(name + " is not patched", told.getProperty("current." + n), null);
            if ("java.lang.String".equals(name)) {
                check.equal("boot", told.getProperty("loader." + n) + told.getProperty("loader.id." + n), "boot0");
                check.that("a class of the boot loader has a base", dialog.file("base." + n).length > 1000, n);
            } else {
                check.equal("loader", told.getProperty("loader." + n), "java.net.URLClassLoader");
                check.that("base", Arrays.equals(dialog.file("base." + n), one.bytes("Price")), name);
                loaders.add(told.getProperty("loader.id." + n));
            }
        }
        Collections.sort(loaders);
        List<String> expected = Arrays.asList(String.valueOf(System.identityHashCode(one.loader)),
                String.valueOf(System.identityHashCode(two.loader)));
        Collections.sort(expected);
        check.equal("both loaders", loaders, expected);
        check.equal("no class twice", told.getProperty("class.4"), null);
        check.equal("not loaded", told.getProperty("unloaded.1"), "shop.Tax");
        check.that("what would be", Arrays.equals(dialog.file("candidate.1.1.file"), one.bytes("Tax")), "Tax");
        check.equal("its loader", told.getProperty("candidate.1.1.loader.id"),
                String.valueOf(System.identityHashCode(one.loader)));
        check.equal("its only loader", told.getProperty("candidate.1.2.file"), null);
        check.equal("nowhere", told.getProperty("unloaded.2"), "shop.Nowhere");
        check.equal("by no loader", told.getProperty("candidate.2.1.file"), null);
        ok("the end", dialog.step("end"));

        Properties noLease = new PatchDialog(jars, jars.agentJar, inst, null, SILENCE_MS, "shop.Price").told;
        failed("steps without a lease", noLease, "lease", "cannot be opened");
    }

    /**
     * Calls {@code what} until it is told to stop, and keeps the answers that are none of these. It rests for a millisecond
     * after each thousand calls: what never does takes a core from all other tests.
     */
    static final class Load {
        private final AtomicBoolean over = new AtomicBoolean();
        private final List<Thread> threads = new ArrayList<Thread>();
        private final List<String> wrong = Collections.synchronizedList(new ArrayList<String>());

        Load(final Callable<String> what, String... answers) {
            final List<String> right = Arrays.asList(answers);
            for (int i = 0; i < 2; i++) {
                Thread thread = new Thread() {
                    @Override
                    public void run() {
                        for (long calls = 1; !over.get(); calls++) {
                            if (calls % 1000 == 0) {
                                LockSupport.parkNanos(1_000_000);
                            }
                            try {
                                String answer = what.call();
                                if (!right.contains(answer)) {
                                    wrong.add(answer);
                                    return;
                                }
                            } catch (Throwable t) {
                                wrong.add(t.toString());
                                return;
                            }
                        }
                    }
                };
                threads.add(thread);
                thread.start();
            }
        }

        List<String> end() throws InterruptedException {
            over.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            return wrong;
        }
    }

    private void applyAndRevert() throws Exception {
        Shop shop = new Shop(jars, "Price", "Tax");
        Callable<String> price = shop.make("Price");
        Callable<String> tax = shop.make("Tax");
        byte[] base = shop.bytes("Price");
        byte[] patched = Shop.edit(base, "price-1", "price-2");
        Load load = new Load(price, "price-1 before after", "price-2 before after");
        int newest = inst.getAllLoadedClasses().length;

        PatchDialog dialog = openFor(shop, "Price", "Tax");
        String p = number(dialog, "shop.Price", shop);
        String t = number(dialog, "shop.Tax", shop);
        Properties applied = dialog.step("apply", "generation", dialog.told.getProperty("generation"),
                "set.1", p, "set.1.file", dialog.put(patched), "set.1.base", dialog.put(base),
                "set.2", t, "set.2.file", dialog.put(Shop.edit(shop.bytes("Tax"), "tax-1", "tax-2")),
                "set.2.base", dialog.put(shop.bytes("Tax")));
        ok("apply", applied);
        check.that("it takes time", Long.parseLong(applied.getProperty("us")) > 0, applied);
        check.equal("two classes in one step", price.call() + tax.call(), "price-2 before aftertax-2");
        check.equal("no journal before the commit", journals(), Collections.emptyList());
        Properties committed = dialog.commit("put.1", "p1/notes", "put.1.file", dialog.put(new byte[] {1, 2}),
                "put.2", "p1/\u00e4", "put.2.file", dialog.put(new byte[0]));
        ok("commit", committed);
        check.equal("generation", Long.parseLong(committed.getProperty("generation")),
                Long.parseLong(dialog.told.getProperty("generation")) + 1);
        check.equal("the journal", journals(), Collections.singletonList("generation=x\nend=true\n"));
        ok("end", dialog.step("end"));
        check.equal("it stays", price.call(), "price-2 before after");

        dialog = openFor(shop, "Price", "Tax");
        p = number(dialog, "shop.Price", shop);
        t = number(dialog, "shop.Tax", shop);
        check.equal("kept", dialog.told.getProperty("base.kind." + p), "kept");
        check.that("base", Arrays.equals(dialog.file("base." + p), base), "not the base");
        check.that("current", Arrays.equals(dialog.file("current." + p), patched), "not the patched");
        check.equal("blobs", dialog.told.getProperty("blob.1") + dialog.told.getProperty("blob.2"),
                "p1/notesp1/\u00e4");
        check.that("blob", Arrays.equals(dialog.file("blob.1.file"), new byte[] {1, 2}), "other bytes");
        ok("a second patch", dialog.step("apply", "generation", dialog.told.getProperty("generation"),
                "set.1", p, "set.1.file", dialog.put(Shop.edit(base, "price-1", "price-2"))));
        failed("a commit without journal", dialog.step("commit"), "request", "no journal.file");
        ok("commit", dialog.commit("drop.1", "p1/notes", "drop.2", "nothing"));
        ok("end", dialog.step("end"));

        dialog = openFor(shop, "Price", "Tax");
        p = number(dialog, "shop.Price", shop);
        t = number(dialog, "shop.Tax", shop);
        check.equal("a blob less", dialog.told.getProperty("blob.1") + dialog.told.getProperty("blob.2"),
                "p1/\u00e4null");
        check.equal("one journal", journals().size(), 1);
        ok("revert", dialog.step("apply", "generation", dialog.told.getProperty("generation"),
                "set.1", p, "set.1.file", dialog.put(base), "set.1.clear", "true",
                "set.2", t, "set.2.file", dialog.put(shop.bytes("Tax")), "set.2.clear", "true"));
        ok("commit", dialog.step("commit", "drop.1", "p1/\u00e4"));
        ok("end", dialog.step("end"));
        check.equal("as before", price.call() + tax.call(), "price-1 before aftertax-1");
        check.equal("no journal", journals(), Collections.emptyList());
        check.equal("each call old or new", load.end(), Collections.emptyList());
        check.equal("not patched", current(shop), null);
    }

    /** Once its classes are loaded. */
    private PatchDialog openFor(Shop shop, String... names) throws Exception {
        String[] classes = new String[names.length];
        for (int i = 0; i < names.length; i++) {
            shop.make(names[i]);
            classes[i] = "shop." + names[i];
        }
        return open(classes);
    }

    static String number(PatchDialog dialog, String name, Shop shop) {
        String id = String.valueOf(System.identityHashCode(shop.loader));
        for (int n = 1; dialog.told.getProperty("class." + n) != null; n++) {
            if (dialog.told.getProperty("class." + n).equals(name)
                    && dialog.told.getProperty("loader.id." + n).equals(id)) {
                return String.valueOf(n);
            }
        }
        throw new IllegalStateException("no " + name + " in " + dialog.told);
    }

    private String current(Shop shop) throws Exception {
        PatchDialog dialog = openFor(shop, "Price");
        ok("end", dialog.step("end"));
        return dialog.told.getProperty("current.1");
    }

    private static String[] priceStep(PatchDialog dialog, Shop shop, String text) throws Exception {
        return new String[] {"apply", "generation", dialog.told.getProperty("generation"),
            "set.1", number(dialog, "shop.Price", shop),
            "set.1.file", dialog.put(Shop.edit(shop.bytes("Price"), "price-1", text)),
            "set.1.base", dialog.put(shop.bytes("Price"))};
    }

    private void rollback() throws Exception {
        Shop shop = new Shop(jars, "Price");
        Callable<String> price = shop.make("Price");
        PatchDialog dialog = openFor(shop, "Price");
        failed("nothing to roll back", dialog.step("rollback"), "request", "nothing is pending");
        failed("nothing to commit", dialog.commit(), "request", "nothing is pending");
        ok("apply", dialog.step(priceStep(dialog, shop, "price-2")));
        check.equal("applied", price.call(), "price-2 before after");
        failed("once", dialog.step(priceStep(dialog, shop, "price-3")), "busy", "applied already");
        ok("rollback", dialog.step("rollback"));
        check.equal("rolled back", price.call(), "price-1 before after");
        ok("again", dialog.step(priceStep(dialog, shop, "price-2")));
        ok("commit", dialog.commit());
        ok("end", dialog.step("end"));

        dialog = openFor(shop, "Price");
        ok("a patch on it", dialog.step(priceStep(dialog, shop, "price-3")));
        check.equal("applied", price.call(), "price-3 before after");
        ok("the end without a commit", dialog.step("end"));
        awaitAnswer(price, "price-2 before after");
        revert(shop);
        check.equal("reverted", price.call(), "price-1 before after");
    }

    private static void awaitAnswer(final Callable<String> of, final String answer) throws Exception {
        PatchDialog.await(new Callable<Boolean>() {
            @Override
            public Boolean call() throws Exception {
                return answer.equals(of.call());
            }
        }, answer);
    }

    private void revert(Shop shop) throws Exception {
        PatchDialog dialog = openFor(shop, "Price");
        ok("revert", dialog.step("apply", "generation", dialog.told.getProperty("generation"), "set.1",
                number(dialog, "shop.Price", shop), "set.1.file", dialog.put(shop.bytes("Price")), "set.1.clear",
                "true"));
        ok("commit", dialog.step("commit"));
        ok("end", dialog.step("end"));
    }

    private void abandoned() throws Exception {
        Shop shop = new Shop(jars, "Price");
        Callable<String> price = shop.make("Price");
        LockHolder other = new LockHolder(jars.tests);
        PatchDialog dialog = new PatchDialog(jars, jars.agentJar, inst, other, SILENCE_MS, "shop.Price");
        ok("apply", dialog.step(priceStep(dialog, shop, "price-2")));
        check.equal("applied", price.call(), "price-2 before after");
        other.kill();
        awaitAnswer(price, "price-1 before after");

        dialog = new PatchDialog(jars, jars.agentJar, inst, holder, 300, "shop.Price");
        ok("apply", dialog.step(priceStep(dialog, shop, "price-2")));
        check.equal("applied", price.call(), "price-2 before after");
        awaitAnswer(price, "price-1 before after");

        dialog = openFor(shop, "Price");
        holder.unlock(dialog.directory.resolve("lease"));
        PatchDialog next = openFor(shop, "Price");
        ok("others may go on", next.step(priceStep(next, shop, "price-2")));
        ok("rollback", next.step("rollback"));
        ok("end", next.step("end"));
        check.equal("no journal of all that", journals(), Collections.emptyList());
        failed("a lease that nobody holds", unleased(), "lease", "nobody holds");
    }

    /** Asked again while it is said to be busy: the thread of the session before ends a moment after its last answer. */
    private Properties unleased() throws Exception {
        final Properties[] reply = new Properties[1];
        PatchDialog.await(new Callable<Boolean>() {
            @Override
            public Boolean call() throws Exception {
                Session session = new Session(jars, jars.agentJar, "verb", "patch", "steps", "true");
                Files.createFile(session.directory.resolve("lease"));
                reply[0] = session.run(inst);
                return !"busy".equals(reply[0].getProperty("stage"));
            }
        }, "a turn");
        return reply[0];
    }

    private void conflicts() throws Exception {
        Shop shop = new Shop(jars, "Price");
        Callable<String> price = shop.make("Price");
        PatchDialog first = openFor(shop, "Price");
        ok("the first applies", first.step(priceStep(first, shop, "price-2")));
        Session second = new Session(jars, jars.agentJar, "verb", "patch", "steps", "true", "class.1", "shop.Price");
        failed("the second waits for its turn", second.run(inst), "busy", first.directory.toString());
        ok("who takes no steps may look", new Session(jars, jars.agentJar, "verb", "patch").run(inst));
        ok("the first commits", first.commit());
        check.equal("the first holds", price.call(), "price-2 before after");
        ok("end", first.step("end"));
        PatchDialog third = openFor(shop, "Price");
        String[] late = priceStep(third, shop, "price-3");
        late[2] = first.told.getProperty("generation");
        failed("thought out before that", third.step(late), "generation", "has changed");
        ok("end", third.step("end"));
        failed("no lease", unleased(), "lease", "nobody holds");
        revert(shop);
    }

    private void refused() throws Exception {
        Shop shop = new Shop(jars, "Price", "Tax");
        Callable<String> price = shop.make("Price");
        Callable<String> tax = shop.make("Tax");
        PatchDialog dialog = openFor(shop, "Price", "Tax");
        String[] step = {"apply", "generation", dialog.told.getProperty("generation"),
            "set.1", number(dialog, "shop.Tax", shop),
            "set.1.file", dialog.put(Shop.edit(shop.bytes("Tax"), "tax-1", "tax-2")),
            "set.1.base", dialog.put(shop.bytes("Tax")), "set.2", number(dialog, "shop.Price", shop),
            "set.2.file", "", "set.2.base", dialog.put(shop.bytes("Price"))};
        int file = Arrays.asList(step).indexOf("set.2.file") + 1;
        step[file] = dialog.put(Shop.edit(shop.bytes("Price"), "call", "cull", "price-1", "price-2"));
        Properties reply = dialog.step(step);
        failed("another method", reply, "redefine", "the jvm refuses");
        check.equal("its class", reply.getProperty("exception"), "java.lang.UnsupportedOperationException");
        check.contains("its words", reply.getProperty("exception.message"), "class redefinition failed");
        step[file] = dialog.put(new byte[] {1, 2, 3});
        reply = dialog.step(step);
        failed("no class file", reply, "redefine", "the jvm refuses");
        check.equal("its class", reply.getProperty("exception"), "java.lang.ClassFormatError");
        step[file] = "put-77";
        failed("a file that is not there", dialog.step(step), "request", "put-77 cannot be read");
        step[file] = "../request";
        failed("a file elsewhere", dialog.step(step), "request", "no plain name");
        check.equal("neither has changed", price.call() + tax.call(), "price-1 before aftertax-1");
        ok("end", dialog.step("end"));
        check.equal("no row of it", current(shop), null);
    }

    private void helpers() throws Exception {
        Shop shop = new Shop(jars, "Discount");
        Callable<String> discount = shop.make("Discount");
        for (int round = 0; round < 2; round++) {
            PatchDialog dialog = openFor(shop, "Discount");
            String n = number(dialog, "shop.Discount", shop);
            byte[] base = shop.bytes("Discount");
            Properties reply = dialog.step("apply", "generation", dialog.told.getProperty("generation"),
                    "define.1", "shop.Coupon", "define.1.loader", n, "define.1.file", dialog.put(shop.bytes("Coupon")),
                    "set.1", n, "set.1.file", dialog.put(Shop.edit(base, "discount-1", "discount-2")),
                    "set.1.base", dialog.put(base));
            ok("a patch with a new class", reply);
            check.equal("defined", reply.getProperty("defined.1"), String.valueOf(round == 0));
            check.equal("it runs", discount.call(), "coupon-1");
            check.equal("in the right loader", shop.loader.loadClass("shop.Coupon").getProtectionDomain(),
                    discount.getClass().getProtectionDomain());
            ok("rollback", dialog.step("rollback"));
            check.equal("as before", discount.call(), "discount-1");
            failed("another class of that name", dialog.step("apply", "generation",
                    dialog.told.getProperty("generation"), "define.1", "shop.Coupon", "define.1.loader", n,
                    "define.1.file", dialog.put(Shop.edit(shop.bytes("Coupon"), "coupon-1", "coupon-2"))), "define",
                    "loaded already");
            failed("a class file of another name", dialog.step("apply", "generation",
                    dialog.told.getProperty("generation"), "define.1", "shop.Other", "define.1.loader", n,
                    "define.1.file", dialog.put(shop.bytes("Coupon"))), "define", "NoClassDefFoundError");
            ok("end", dialog.step("end"));
        }
        PatchDialog dialog = open("shop.Coupon", "java.lang.String");
        check.equal("a helper is known", dialog.told.getProperty("base.kind."
                + number(dialog, "shop.Coupon", shop)), "helper");
        int boot = "boot".equals(dialog.told.getProperty("loader.1")) ? 1 : 2;
        failed("the boot loader", dialog.step("apply", "generation", dialog.told.getProperty("generation"),
                "define.1", "java.lang.Coupon", "define.1.loader", String.valueOf(boot),
                "define.1.file", dialog.put(shop.bytes("Coupon"))), "define", "boot loader");
        ok("end", dialog.step("end"));
    }

    private void hand() throws Exception {
        Shop shop = new Shop(jars, "Price");
        shop.make("Price");
        PatchDialog dialog = openFor(shop, "Price");
        String n = number(dialog, "shop.Price", shop);
        Properties reply = dialog.step("hand", "hand.1", n);
        ok("hand", reply);
        check.contains("what the jvm hands out", new String(dialog.file(reply, "handed." + n),
                StandardCharsets.ISO_8859_1), "price-1");
        ok("apply", dialog.step(priceStep(dialog, shop, "price-2")));
        ok("commit", dialog.commit());
        failed("of a patched class", dialog.step("hand", "hand.1", n), "request", "its base is kept");
        ok("end", dialog.step("end"));
        revert(shop);
    }

    private void wrongSteps() throws Exception {
        Shop shop = new Shop(jars, "Price");
        PatchDialog dialog = openFor(shop, "Price");
        String g = dialog.told.getProperty("generation");
        String n = number(dialog, "shop.Price", shop);
        String file = dialog.put(shop.bytes("Price"));
        failed("an unknown step", dialog.step("dance"), "request", "unknown step dance");
        failed("no generation", dialog.step("apply", "set.1", n), "generation", "not null");
        failed("no file", dialog.step("apply", "generation", g, "set.1", n), "request", "no set.1.file");
        failed("no base", dialog.step("apply", "generation", g, "set.1", n, "set.1.file", file), "request", "no base");
        failed("no such class", dialog.step("apply", "generation", g, "set.1", "99"), "request", "no class 99");
        failed("no number", dialog.step("apply", "generation", g, "set.1", "x"), "request", "no class x");
        failed("twice", dialog.step("apply", "generation", g, "set.1", n, "set.1.file", file, "set.1.base", file,
                "set.2", n, "set.2.file", file), "request", "twice");
        failed("no candidate", dialog.step("apply", "generation", g, "load.1", "1.1"), "request", "no candidate");
        failed("not waited for", dialog.step("apply", "generation", g, "forget.1", "1"), "request", "waited for");
        ok("end", dialog.step("end"));
    }
}
