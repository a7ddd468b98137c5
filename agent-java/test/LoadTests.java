// Supervised load, end to end but for the attach: options, capabilities, class paths, and every way to fail.

import io.jgraft.agent.Stub;
import java.lang.instrument.ClassDefinition;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.ProtectionDomain;
import java.util.Collections;
import java.util.Properties;

final class LoadTests {
    private static final String RECORDER = "Agent-Class: agents.Recorder\n";

    private final Check check;
    private final Jars jars;
    private final Instrumentation inst;

    LoadTests(Check check, Jars jars, Instrumentation inst) {
        this.check = check;
        this.jars = jars;
        this.inst = inst;
    }

    void run() throws Exception {
        options();
        capabilitiesDenied();
        capabilitiesGranted();
        wrongJars();
        wrongClasses();
        failures();
        fullHeap();
        bootClassPath();
    }

    private Properties load(Path jar, String... more) throws Exception {
        String[] request = new String[more.length + 4];
        request[0] = "verb";
        request[1] = "load";
        request[2] = "jar";
        request[3] = jar.toString();
        System.arraycopy(more, 0, request, 4, more.length);
        return new Session(jars, jars.agentJar, request).run(inst);
    }

    private void options() throws Exception {
        Path jar = jars.of(RECORDER, "Recorder");
        Properties reply = load(jar);
        check.equal("a good load", reply.getProperty("outcome"), "ok");
        check.equal("its code", reply.getProperty("code"), "0");
        check.equal("its class", reply.getProperty("agent.class"), "agents.Recorder");
        check.equal("its thread", reply.getProperty("thread"), Thread.currentThread().getName());
        check.equal("it ran on the calling thread", property("thread"), Thread.currentThread());
        check.equal("no warning", reply.getProperty("warning.1"), null);
        check.equal("no options are null", property("options"), "(null)");
        for (String options : new String[] {"", "a=b,c= d ", "\u00e4\u20ac\ud834\udd1e end\n"}) {
            load(jar, "options", options);
            check.equal("options arrive as they are", property("options"), options);
        }
        check.equal("one call a load", property("calls"), 4);
        Path newer = jars.of(RECORDER, "Recorder");
        check.contains("a class that came from elsewhere", load(newer).getProperty("warning.1"),
                "is from " + jar + ", which came first on the class path: the one in " + newer + " is not used");
    }

    private static Object property(String name) {
        return System.getProperties().get("agents." + name);
    }

    private void capabilitiesDenied() throws Exception {
        load(jars.of(RECORDER + "Can-Retransform-Classes: yes\n", "Recorder"));
        final Instrumentation granted = (Instrumentation) property("inst");
        check.that("the supervised agent has not ours", granted != inst, granted);
        check.equal("retransform supported", granted.isRetransformClassesSupported(), false);
        check.equal("redefine supported", granted.isRedefineClassesSupported(), false);
        check.equal("prefix supported", granted.isNativeMethodPrefixSupported(), false);
        final ClassFileTransformer transformer = new Nothing();
        throwsUnsupported("adding retransformable transformers", new Call() {
            public void run() {
                granted.addTransformer(transformer, true);
            }
        });
        throwsUnsupported("retransformClasses", new Call() {
            public void run() throws Exception {
                granted.retransformClasses();
            }
        });
        throwsUnsupported("redefineClasses", new Call() {
            public void run() throws Exception {
                granted.redefineClasses((ClassDefinition[]) null);
            }
        });
        throwsUnsupported("setNativeMethodPrefix", new Call() {
            public void run() {
                granted.setNativeMethodPrefix(transformer, "x");
            }
        });
        check.equal("a null transformer", thrown(new Call() {
            public void run() {
                granted.addTransformer(null, true);
            }
        }), "java.lang.NullPointerException: null passed as 'transformer' in addTransformer");
        granted.addTransformer(transformer);
        check.that("what needs no capability works", granted.removeTransformer(transformer)
                && granted.getObjectSize("") > 0 && granted.isModifiableClass(LoadTests.class)
                && granted.getAllLoadedClasses().length > 100, granted);
        check.that("it equals itself only", granted.equals(granted) && !granted.equals(inst)
                && granted.hashCode() == granted.hashCode() && granted.toString() != null, granted);
    }

    private void capabilitiesGranted() throws Exception {
        load(jars.of(RECORDER + "Can-Retransform-Classes: TRUE \nCan-Redefine-Classes: true\n"
                + "Can-Set-Native-Method-Prefix: True\n", "Recorder"));
        Instrumentation granted = (Instrumentation) property("inst");
        Nothing transformer = new Nothing();
        granted.addTransformer(transformer, true);
        granted.setNativeMethodPrefix(transformer, "jgraft_");
        granted.retransformClasses(LoadTests.class);
        check.equal("its transformer saw the class", transformer.seen, "LoadTests");
        granted.removeTransformer(transformer);
        granted.redefineClasses();
        check.that("all is supported", granted.isRetransformClassesSupported()
                && granted.isRedefineClassesSupported() && granted.isNativeMethodPrefixSupported(), granted);
        for (Method method : Instrumentation.class.getMethods()) {
            if (method.getName().equals("isModifiableModule")) {
                Object module = Class.class.getMethod("getModule").invoke(String.class);
                check.equal("a method that came with Java 9", method.invoke(granted, module), true);
            }
        }
    }

    private void wrongJars() throws Exception {
        Path text = jars.fresh("text.jar");
        Files.write(text, new byte[100]);
        failed(load(text), "manifest", "100", "no manifest to be read from " + text);
        failed(load(jars.work.resolve("nowhere.jar")), "manifest", "100", "nowhere.jar");
        Path longer = jars.of(RECORDER, "Recorder");
        Files.write(longer, new byte[1], StandardOpenOption.APPEND);
        failed(load(longer), "manifest", "100", "does not end with the end record");
        Path bare = jars.fresh("bare.jar");
        Jars.write(bare, null, Collections.singletonMap("x", new byte[0]));
        failed(load(bare), "manifest", "100", "no entry META-INF/MANIFEST.MF");
        Path premain = jars.of("Premain-Class: agents.Recorder\n", "Recorder");
        failed(load(premain), "manifest", "100", "only Premain-Class: load it at the next start with -javaagent:"
                + premain);
        Properties reply = new Session(jars, jars.agentJar, "verb", "load", "jar", "relative.jar").run(inst);
        failed(reply, "request", null, "not an absolute path");
    }

    private void wrongClasses() throws Exception {
        Properties reply = load(jars.of("Agent-Class: agents.Missing\n", "Recorder"));
        failed(reply, "class", "102", "agents.Missing");
        check.equal("a missing class", reply.getProperty("exception"), "java.lang.ClassNotFoundException");

        byte[] future = jars.agent("Future");
        future[6] = 0;
        future[7] = (byte) 200;
        Path jar = jars.fresh("future.jar");
        Jars.write(jar, "Agent-Class: agents.Future\n",
                Collections.singletonMap("agents/Future.class", future));
        reply = load(jar);
        failed(reply, "class", "102", "200");
        check.equal("a class from the future", reply.getProperty("exception"),
                "java.lang.UnsupportedClassVersionError");
    }

    private void failures() throws Exception {
        Path jar = jars.of("Agent-Class: agents.Failing\n", "Failing", "Failing$Broken", "Evil");
        Properties reply = load(jar, "options", "cause");
        failed(reply, "agentmain", "102", "no \u00e4gent\ntoday");
        check.equal("its own exception", reply.getProperty("exception"), "java.lang.IllegalStateException");
        String stack = reply.getProperty("stack");
        check.that("the stack begins with it", stack.startsWith(
                "java.lang.IllegalStateException: no \u00e4gent\ntoday\n\tat agents.Failing.agentmain(Failing.java:"), stack);
        check.contains("the stack has the suppressed one", stack,
                "\tSuppressed: java.lang.RuntimeException: also this");
        check.contains("the stack has the cause", stack, "\nCaused by: java.io.IOException: disk on fire\n");
        check.that("the stack has none of our frames", !stack.contains("jgraft") && !stack.contains("reflect"), stack);

        failed(load(jar, "options", "memory"), "agentmain", "102", "java.lang.OutOfMemoryError");
        failed(load(jar, "options", "death"), "agentmain", "102", "java.lang.ThreadDeath");
        reply = load(jar, "options", "stack");
        failed(reply, "agentmain", "102", "java.lang.StackOverflowError");
        check.contains("a long trace is cut", reply.getProperty("stack"), " frames left out\n");
        reply = load(jar, "options", "initializer");
        failed(reply, "agentmain", "102", "java.lang.ExceptionInInitializerError");
        check.contains("why it could not", reply.getProperty("stack"),
                "Caused by: java.lang.NumberFormatException: For input string: \"not a number\"");
        failed(load(jar, "options", "circle"), "agentmain", "102", "inner");
        failed(load(jar, "options", "evil"), "agentmain", "102", "agents.Evil");
    }

    private void fullHeap() throws Exception {
        Session session = new Session(jars, jars.agentJar, "verb", "load", "jar",
                jars.of("Agent-Class: agents.Hog\n", "Hog").toString());
        Throwable thrown = null;
        try {
            Stub.agentmain(session.directory.toString(), inst);
        } catch (Throwable t) {
            thrown = t;
        }
        System.getProperties().remove("agents.held");
        check.equal("a full heap, no exception", thrown, null);
        // Whether the heap has room again for the agent's own story is up to the collector: the outcome must be told.
        Properties reply = Session.reply(session.directory);
        check.that("a full heap is told", reply != null && "failed".equals(reply.getProperty("outcome"))
                && "java.lang.OutOfMemoryError".equals(reply.getProperty("exception")), reply);
    }

    private void failed(Properties reply, String stage, String code, String message) {
        String what = "expecting '" + message + "'";
        if (reply == null) {
            check.that(what, false, "no reply");
            return;
        }
        check.equal(what + ": outcome", reply.getProperty("outcome"), "failed");
        check.equal(what + ": stage", reply.getProperty("stage"), stage);
        check.equal(what + ": code", reply.getProperty("code"), code);
        check.contains(what, reply.getProperty("message"), message);
        check.that(what + ": exception and stack go together", reply.containsKey("exception")
                == reply.containsKey("stack"), reply);
    }

    private void bootClassPath() throws Exception {
        Path jar = jars.of(RECORDER + "Boot-Class-Path: lib/b%6Fot%20x.jar?q  missing.jar b|d.jar\n", "Recorder");
        Path lib = Files.createDirectory(jar.resolveSibling("lib"));
        Jars.write(lib.resolve("boot x.jar"), "A: b\n",
                Collections.singletonMap("agents/OnBoot.class", jars.agent("OnBoot")));
        // By way of a link: entries are resolved where the jar really is.
        Path link = jars.fresh("link.jar");
        Files.createSymbolicLink(link, jar);
        Properties reply = load(link);
        check.equal("a load with Boot-Class-Path", reply.getProperty("outcome"), "ok");
        check.equal("the boot loader has the class",
                Class.forName("agents.OnBoot", false, null).getClassLoader(), null);
        check.contains("an entry that is missing", reply.getProperty("warning.1"), "missing.jar was not added");
        check.contains("an entry that is no URI", reply.getProperty("warning.2"), "'|' is not allowed");
    }

    private interface Call {
        void run() throws Exception;
    }

    private void throwsUnsupported(String what, Call call) {
        check.equal(what, thrown(call), "java.lang.UnsupportedOperationException: " + what
                + " is not supported in this environment");
    }

    private static String thrown(Call call) {
        try {
            call.run();
            return null;
        } catch (Exception e) {
            return e.toString();
        }
    }

    private static final class Nothing implements ClassFileTransformer {
        private String seen;

        @Override
        public byte[] transform(ClassLoader loader, String name, Class<?> redefined, ProtectionDomain domain,
                byte[] bytes) {
            seen = redefined == null ? seen : name;
            return null;
        }
    }
}
