// A recursive method, an exception of its own and one that passes through: small enough to read its log.
package golden;

public class Small {
    private final int base;

    Small(int base) {
        this.base = base;
    }

    public static void main(String[] arguments) {
        System.out.println(factorial(4));
        Small small = new Small(10);
        System.out.println(small.divide(2, 5L));
        try {
            small.outer(0);
        } catch (ArithmeticException expected) {
            System.out.println(expected.getMessage());
        }
    }

    static int factorial(int n) {
        return n < 2 ? 1 : n * factorial(n - 1);
    }

    long divide(int by, long plus) {
        long kept = plus;
        by += 0;
        plus = 0;
        return base / by + kept + plus;
    }

    long outer(int by) {
        return divide(by, 1L);
    }
}
