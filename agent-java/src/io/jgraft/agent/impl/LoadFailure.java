// Why a load ended: at which stage, in whose words. The cause is what the JVM or the agent threw, if it threw.
package io.jgraft.agent.impl;

final class LoadFailure extends Exception {
    private static final long serialVersionUID = 1;

    final transient Stage stage;

    LoadFailure(Stage stage, String message, Throwable cause) {
        super(message, cause);
        this.stage = stage;
    }
}
