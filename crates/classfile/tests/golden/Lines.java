// Stack traces have the line numbers of the source.
package golden;

public class Lines {
    public static void main(String[] arguments) {
        for (int i = 0; i < 3; i++) {
            try {
                first(i);
            } catch (RuntimeException thrown) {
                for (StackTraceElement frame : thrown.getStackTrace()) {
                    if (frame.getClassName().startsWith("golden.")) {
                        System.out.println(frame.getMethodName() + ":" + frame.getLineNumber());
                    }
                }
            }
        }
    }

    static int first(int i) {
        if (i == 0) {
            return second(i,
                    "one");
        }

        return second(
                i,
                null) + second(i, "two");
    }

    static int second(int i, String text) {
        int length = text
                .length();
        if (i > 1) {
            throw new IllegalStateException(
                    text);
        }
        return 10
                / i
                + length;
    }
}
