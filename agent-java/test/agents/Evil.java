// A throwable all of whose methods fail: whoever reports it must not fail with it.
package agents;

final class Evil extends RuntimeException {
    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
        throw new IllegalStateException("no message");
    }

    @Override
    public String toString() {
        throw new IllegalStateException("no text");
    }

    @Override
    public StackTraceElement[] getStackTrace() {
        return null;
    }

    @Override
    public synchronized Throwable getCause() {
        throw new IllegalStateException("no cause");
    }
}
