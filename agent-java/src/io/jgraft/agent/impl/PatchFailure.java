// Why a step of a patch was not done: at which stage, in whose words. Whoever throws it has left all as it was, or says
// what has not.
package io.jgraft.agent.impl;

import java.util.LinkedHashMap;
import java.util.Map;

final class PatchFailure extends Exception {
    private static final long serialVersionUID = 1;

    final String stage;

    PatchFailure(String stage, String message) {
        this(stage, message, null);
    }

    PatchFailure(String stage, String message, Throwable cause) {
        super(message, cause);
        this.stage = stage;
    }

    /** As a reply. A failure that is none of these is a defect of ours. */
    static Map<String, String> reply(Throwable t) {
        Map<String, String> reply = new LinkedHashMap<String, String>();
        reply.put("outcome", "failed");
        boolean known = t instanceof PatchFailure;
        reply.put("stage", known ? ((PatchFailure) t).stage : "agent");
        reply.put("message", known ? t.getMessage() : StackText.headline(t));
        Throwable cause = known ? t.getCause() : t;
        if (cause != null) {
            reply.put("exception", cause.getClass().getName());
            String words = words(cause);
            if (words != null) {
                reply.put("exception.message", words);
            }
            reply.put("stack", StackText.of(cause));
        }
        return reply;
    }

    private static String words(Throwable t) {
        try {
            return t.getMessage();
        } catch (Throwable broken) {
            return null;
        }
    }
}
