// A test agent that leaves what it was given among the system properties.
package agents;

import java.lang.instrument.Instrumentation;

public final class Recorder {
    private Recorder() {
    }

    public static void agentmain(String options, Instrumentation inst) {
        Object calls = System.getProperties().get("agents.calls");
        System.getProperties().put("agents.calls", calls == null ? 1 : (Integer) calls + 1);
        System.getProperties().put("agents.options", options == null ? "(null)" : options);
        System.getProperties().put("agents.inst", inst);
        System.getProperties().put("agents.thread", Thread.currentThread());
    }
}
