// Constructors: branches before super(), this(), initialisers, exceptions before, in and behind super().
package golden;

public class Constructors {
    static class Base {
        final long value;
        String text = "base";

        Base(long value) {
            if (value < 0) {
                throw new IllegalArgumentException("negative");
            }
            this.value = value;
        }

        Base(String text, double d) {
            this((long) d);
            this.text = text;
        }
    }

    static class Ternary extends Base {
        Ternary(boolean which, long one, long two) {
            super(which ? one : two);
        }

        Ternary(String text) {
            super(text == null ? "null" : text.isEmpty() ? "empty" : text, text == null ? 0.5 : 1.5);
        }
    }

    static class Failing extends Base {
        private int later = 5;

        Failing(int how) {
            super(how == 0 ? fail() : how);
            later += how;
            if (how == 2) {
                throw new IllegalStateException("behind super(): " + later);
            }
        }

        static long fail() {
            throw new IllegalStateException("before super()");
        }
    }

    static class Through extends Base {
        Through(int value) {
            super(value - 1);
        }
    }

    static class Same {
        final Same other;

        Same(int depth) {
            this(depth > 0 ? new Same(depth - 1) : null);
        }

        Same(Same other) {
            this.other = other;
        }
    }

    static class Empty {
    }

    class Inner {
        final int sum;

        Inner(int... parts) {
            int sum = offset;
            for (int part : parts) {
                sum += part;
            }
            this.sum = sum;
        }
    }

    private final int offset;

    {
        offset = arguments() ? 100 : 200;
    }

    static boolean arguments() {
        return true;
    }

    public static void main(String[] arguments) {
        System.out.println(new Ternary(true, 1, 2).value + " " + new Ternary(false, 1, 2).value);
        System.out.println(new Ternary(null).text + new Ternary("").text + new Ternary("b").text);
        for (int how = -1; how < 3; how++) {
            try {
                System.out.println(new Failing(how).later);
            } catch (IllegalStateException | IllegalArgumentException expected) {
                System.out.println(expected.getMessage());
            }
            try {
                System.out.println(new Through(how).value);
            } catch (IllegalArgumentException expected) {
                System.out.println(expected.getMessage());
            }
        }
        System.out.println(new Same(2).other.other.other);
        System.out.println(new Empty().getClass().getName());
        System.out.println(new Constructors().new Inner(1, 2, 3).sum);
        System.out.println(choose(true) + choose(false));
        System.out.println(new Base(new StringBuilder(arguments.length == 0 ? "a" : "c").append("b").toString(), 1).text);
    }

    /** An object that is no object yet lies on the stack while code jumps. */
    static String choose(boolean first) {
        StringBuilder made = new StringBuilder(first ? "one" : new String(new char[] {first ? 'x' : 't', 'w'}));
        return made.append(first ? 1 : 2).append(first && made.length() > 2 ? 1.5 : 2L).toString();
    }
}
