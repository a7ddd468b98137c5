// The implementation's entry: from a request to its verb. Loaded by the stub of whatever jar came first, from the jar
// the request names, so it may change from version to version; only the signature of run is part of the contract.
package io.jgraft.agent.impl;

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;

/** What the stub calls. */
public final class Main {
    private Main() {
    }

    /** Carries out {@code request} and returns the reply, whose entries are written in their order. */
    public static Map<String, String> run(File session, Properties request, Instrumentation inst) {
        String verb = request.getProperty("verb");
        if ("load".equals(verb)) {
            return SupervisedLoad.run(request, inst);
        }
        if ("patch".equals(verb)) {
            return PatchSession.run(session, request, inst);
        }
        Map<String, String> reply = new LinkedHashMap<String, String>();
        reply.put("outcome", "failed");
        reply.put("stage", "verb");
        reply.put("message", verb == null ? "the request has no verb" : "unknown verb " + verb
                + ": this agent knows load and patch");
        return reply;
    }
}
