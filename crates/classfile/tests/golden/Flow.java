// Loops of every kind, some whose head is the first instruction of the method; labels, recursion, conditions.
package golden;

public class Flow {
    static int count;

    public static void main(String[] arguments) {
        first();
        System.out.println(count + " " + whileFirst(5) + " " + doFirst(3L));
        System.out.println(labelled(4) + " " + ackermann(2, 2) + " " + even(7) + odd(7));
        System.out.println(conditions(1, null) + conditions(0, "b") + conditions(-1, ""));
        System.out.println(hanoi(3, 'a', 'b', 'c', new StringBuilder()));
        System.out.println(gcd(1071L, 462L) + " " + root(2.0, 1e-9));
    }

    static void first() {
        while (count < 3) {
            count++;
        }
    }

    static int whileFirst(int n) {
        while (n > 0) {
            if (n == 2) {
                return n;
            }
            n--;
        }
        return n;
    }

    static long doFirst(long n) {
        do {
            n--;
        } while (n > 0);
        return n;
    }

    static int labelled(int n) {
        int sum = 0;
        outer:
        for (int i = 0; i < n; i++) {
            for (int j = 0; ; j++) {
                if (j == i) {
                    continue outer;
                }
                if (i == 3 && j == 1) {
                    break outer;
                }
                sum += i * j;
            }
        }
        return sum;
    }

    static int ackermann(int m, int n) {
        return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
    }

    static boolean even(int n) {
        return n == 0 || odd(n - 1);
    }

    static boolean odd(int n) {
        return n != 0 && even(n - 1);
    }

    static String conditions(int n, Object o) {
        String said = n > 0 ? "+" : n < 0 ? "-" : "0";
        if (o == null || n >= 1 && !(o instanceof String)) {
            said += "!";
        }
        if (o != null && o != said && (n <= 0 ^ o.equals("b"))) {
            said += "?";
        }
        return said;
    }

    static String hanoi(int n, char from, char over, char to, StringBuilder moves) {
        if (n > 0) {
            hanoi(n - 1, from, to, over, moves);
            moves.append(from).append(to).append(' ');
            hanoi(n - 1, over, from, to, moves);
        }
        return n == 3 ? moves.toString() : null;
    }

    static long gcd(long a, long b) {
        while (b != 0) {
            long rest = a % b;
            a = b;
            b = rest;
        }
        return a;
    }

    static double root(double of, double exact) {
        double x = of, last;
        do {
            last = x;
            x = (x + of / x) / 2;
        } while (Math.abs(x - last) > exact);
        return Math.round(x * 1e6) / 1e6;
    }
}
