// An agent that changes one number in a class of a running program, so that it can be seen to work: the smallest
// honest use of java.lang.instrument. Not a way to hot-patch: that is what a redefinition is for.
package example.reprice;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import java.util.concurrent.atomic.AtomicBoolean;

/** Options: {@code class=NAME,from=INT,to=INT}. */
public final class RepriceAgent implements ClassFileTransformer {
    /** Loading the jar again runs agentmain again, in this same class: the system loader keeps the first. */
    private static final AtomicBoolean loaded = new AtomicBoolean();

    private final String className;
    private final int from;
    private final int to;
    private boolean changed;
    private RuntimeException failure;

    private RepriceAgent(String options) {
        className = option(options, "class");
        from = Integer.parseInt(option(options, "from"));
        to = Integer.parseInt(option(options, "to"));
    }

    /** Called on the thread "Attach Listener": what it throws, plain attach reports as "return code: 102". */
    public static void agentmain(String options, Instrumentation inst) throws Exception {
        RepriceAgent agent = new RepriceAgent(options);
        Class<?> target = agent.loadedClass(inst);
        if (target == null) {
            throw new IllegalArgumentException("no class " + agent.className + " is loaded");
        }
        if (!loaded.compareAndSet(false, true)) {
            System.out.println("reprice: loaded already, nothing done");
            return;
        }
        // "true": this transformer is also asked when a class is retransformed, not only when one is loaded.
        inst.addTransformer(agent, true);
        try {
            inst.retransformClasses(target);
        } finally {
            // The class keeps its new code. The next retransformation by anyone starts from the class as it was
            // loaded, and without this transformer the old price would be back.
            inst.removeTransformer(agent);
        }
        if (!agent.changed) {
            loaded.set(false);
            throw new IllegalArgumentException("class " + agent.className + " has no int constant " + agent.from,
                    agent.failure);
        }
        System.out.println("reprice: " + agent.className + " " + agent.from + " -> " + agent.to
                + ", class retransformed");
    }

    /** With -javaagent: no class of the program is loaded yet, so the transformer waits for it. */
    public static void premain(String options, Instrumentation inst) {
        RepriceAgent agent = new RepriceAgent(options);
        loaded.set(true);
        inst.addTransformer(agent, true);
        System.out.println("reprice: " + agent.className + " " + agent.from + " -> " + agent.to
                + ", when the class is loaded");
    }

    @Override
    public byte[] transform(ClassLoader loader, String name, Class<?> redefined, ProtectionDomain domain,
            byte[] classFile) {
        if (!className.replace('.', '/').equals(name)) {
            return null; // "unchanged": the JVM goes on with the bytes it has
        }
        try {
            byte[] copy = classFile.clone();
            changed = ConstantPool.replaceInteger(copy, from, to) > 0;
            return changed ? copy : null;
        } catch (RuntimeException e) {
            failure = e; // The JVM would swallow it; agentmain tells it.
            return null;
        }
    }

    private Class<?> loadedClass(Instrumentation inst) {
        for (Class<?> c : inst.getAllLoadedClasses()) {
            if (c.getName().equals(className)) {
                return c;
            }
        }
        return null;
    }

    private static String option(String options, String key) {
        for (String option : options == null ? new String[0] : options.split(",")) {
            if (option.startsWith(key + "=")) {
                return option.substring(key.length() + 1);
            }
        }
        throw new IllegalArgumentException("option " + key + "=... is missing: class=NAME,from=INT,to=INT");
    }
}
