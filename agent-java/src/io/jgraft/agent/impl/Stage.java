// The stages of a load, each with the code that plain attach answers when it ends there (InvocationAdapter.c's
// AGENT_ERROR_BADJAR, _NOTONCP, _STARTFAIL).
package io.jgraft.agent.impl;

enum Stage {
    /** The request itself, or our own code: plain attach has no such failure, so no code either. */
    REQUEST("request", null),
    SUPERVISOR("supervisor", null),
    MANIFEST("manifest", "100"),
    CLASS_PATH("class-path", "101"),
    CLASS("class", "102"),
    METHOD("method", "102"),
    AGENTMAIN("agentmain", "102");

    final String key;
    final String code;

    Stage(String key, String code) {
        this.key = key;
        this.code = code;
    }
}
