// One source, three agents: A, B and C are three jars with this class and a manifest each. Each adds a transformer that
// asks to be called on retransformation ("capable") and one that does not ("plain"), then does what its options say and
// prints who was called, in which order. Not a model for real agents, which print nothing.
package example.chain;

import java.lang.instrument.Instrumentation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Options: {@code NAME[,load=CLASS][,retransform=CLASS][,late=NAME]...}, done in their order. */
public final class ChainAgent {
    private static final String TARGETS = "example.chain.target.";
    /** By agent name. One map for all three, as the system class loader takes this class from the first jar only. */
    private static final Map<String, Instrumentation> agents = new TreeMap<String, Instrumentation>();
    /** The transformers called since the last step. */
    private static final List<String> called = new ArrayList<String>();

    private ChainAgent() {
    }

    public static void premain(String options, Instrumentation inst) throws Exception {
        start(options, inst);
    }

    public static void agentmain(String options, Instrumentation inst) throws Exception {
        start(options, inst);
    }

    static void note(String transformer) {
        synchronized (called) {
            called.add(transformer);
        }
    }

    private static void start(String options, Instrumentation inst) throws Exception {
        String[] steps = options.split(",");
        String name = steps[0];
        agents.put(name, inst);
        inst.addTransformer(new Trail(name + ".plain"), false);
        try {
            inst.addTransformer(new Trail(name + ".capable"), true);
            System.out.println(name + ": added " + name + ".plain and " + name + ".capable");
        } catch (UnsupportedOperationException e) {
            System.out.println(name + ": added " + name + ".plain; " + name + ".capable: " + e.getMessage());
        }
        for (int i = 1; i < steps.length; i++) {
            String[] step = steps[i].split("=");
            takeCalled();
            if (step[0].equals("load")) {
                Class<?> loaded = Class.forName(TARGETS + step[1], true, ClassLoader.getSystemClassLoader());
                tell(name + ": load of " + step[1], loaded);
            } else if (step[0].equals("retransform")) {
                Class<?> known = Class.forName(TARGETS + step[1], true, ClassLoader.getSystemClassLoader());
                inst.retransformClasses(known);
                tell(name + ": retransformation of " + step[1], known);
            } else if (step[0].equals("late")) {
                agents.get(step[1]).addTransformer(new Trail(step[1] + ".late"), true);
                System.out.println(name + ": had " + step[1] + " add " + step[1] + ".late");
            } else {
                throw new IllegalArgumentException("unknown step " + steps[i]);
            }
        }
    }

    private static void tell(String event, Class<?> target) throws Exception {
        System.out.println(event);
        System.out.println("    called:     " + takeCalled());
        System.out.println("    left in it: " + target.getMethod("trail").invoke(null));
    }

    private static String takeCalled() {
        synchronized (called) {
            String names = called.toString().replaceAll("[\\[\\],]", "");
            called.clear();
            return names;
        }
    }
}
