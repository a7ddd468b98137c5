// A test agent that leaves what it was given among the system properties.
package agents;

import java.lang.instrument.Instrumentation;

public final class Recorder {
    private Recorder() {
    }

    public static void agentmain(String options, Instrumentation inst) {
        System.getProperties().put("agents.calls", (Integer) System.getProperties().getOrDefault("agents.calls", 0) + 1);
        System.getProperties().put("agents.options", options == null ? "(null)" : options);
        System.getProperties().put("agents.inst", inst);
        System.getProperties().put("agents.thread", Thread.currentThread());
    }
}
