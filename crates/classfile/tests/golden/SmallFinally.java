// finally that replaces an exception, and one that lets it pass: small enough to read its log.
package golden;

public class SmallFinally {
    public static void main(String[] arguments) {
        System.out.println(replaced(true));
        try {
            passed();
        } catch (IllegalStateException expected) {
            System.out.println(expected.getMessage());
        }
    }

    @SuppressWarnings("finally")
    static int replaced(boolean fail) {
        try {
            fail("lost");
            return 1;
        } finally {
            return 2;
        }
    }

    static void passed() {
        try {
            fail("kept");
        } finally {
            System.out.println("finally");
        }
    }

    static void fail(String how) {
        throw new IllegalStateException(how);
    }
}
