// Agent classes of every shape that an agentmain can have: each is an agent of its own. The name says the shape.
package agents;

import java.lang.instrument.Instrumentation;

public final class Shapes {
    private Shapes() {
    }

    static void called(String method) {
        System.getProperties().put("agents.shape", method);
    }

    public static class Two {
        public static void agentmain(String options, Instrumentation inst) {
            called("Two/2");
        }
    }

    public static class One {
        public static void agentmain(String options) {
            called("One/1");
        }
    }

    public static class Both {
        public static void agentmain(String options) {
            called("Both/1");
        }

        public static void agentmain(String options, Instrumentation inst) {
            called("Both/2");
        }
    }

    public static class PackagePrivate {
        static void agentmain(String options, Instrumentation inst) {
            called("PackagePrivate/2");
        }
    }

    public static class PrivateTwoPublicOne {
        private static void agentmain(String options, Instrumentation inst) {
            called("PrivateTwoPublicOne/2");
        }

        public static void agentmain(String options) {
            called("PrivateTwoPublicOne/1");
        }
    }

    public static class Returning {
        public static int agentmain(String options, Instrumentation inst) {
            called("Returning/2");
            return 1;
        }
    }

    public static class Instance {
        public void agentmain(String options, Instrumentation inst) {
            called("Instance/2");
        }
    }

    private static class Hidden {
        public static void agentmain(String options, Instrumentation inst) {
            called("Hidden/2");
        }
    }

    public static class InheritsTwo extends Two {
    }

    public static class InheritsOne extends One {
    }

    public static class InheritsPackagePrivate extends PackagePrivate {
    }

    public static class OneInheritsTwo extends Two {
        public static void agentmain(String options) {
            called("OneInheritsTwo/1");
        }
    }

    public static class PremainOnly {
        public static void premain(String options, Instrumentation inst) {
            called("PremainOnly/premain");
        }
    }

    public interface OfInterface {
        static void agentmain(String options, Instrumentation inst) {
            called("OfInterface/2");
        }
    }
}
