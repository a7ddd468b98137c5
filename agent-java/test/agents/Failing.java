// A test agent that fails in the way its options name.
package agents;

public final class Failing {
    private Failing() {
    }

    public static void agentmain(String how) throws Throwable {
        if (how.equals("cause")) {
            try {
                throw new java.io.IOException("disk on fire");
            } catch (java.io.IOException e) {
                IllegalStateException outer = new IllegalStateException("no \u00e4gent\ntoday", e);
                outer.addSuppressed(new RuntimeException("also this"));
                throw outer;
            }
        } else if (how.equals("memory")) {
            throw new OutOfMemoryError(new long[Integer.MAX_VALUE - 8].length + " longs");
        } else if (how.equals("stack")) {
            recurse(0);
        } else if (how.equals("death")) {
            throw (Error) Class.forName("java.lang.ThreadDeath").getDeclaredConstructor().newInstance();
        } else if (how.equals("evil")) {
            throw new Evil();
        } else if (how.equals("circle")) {
            RuntimeException inner = new RuntimeException("inner");
            throw inner.initCause(new RuntimeException("outer", inner));
        } else if (how.equals("initializer")) {
            Broken.touch();
        }
    }

    private static int recurse(int depth) {
        return recurse(depth + 1) + 1;
    }

    private static final class Broken {
        static final int VALUE = Integer.parseInt("not a number");

        static void touch() {
        }
    }
}
