/*
 * Conditions beside the same in Java. A comment `condition:` before a method is what its exit is guarded with; main calls
 * the methods in turn and prints for each call whether the condition has to hold.
 */
package conditions;

public class Conditions extends Base {
    static class Order {
        public int status;
        public long total;
        double weight;
        protected String name;
        public boolean open;
        public Order next;
        public Object any;
        public char letter = 'x';
        public byte small = -1;
        public float part;

        Order(int status, String name, Order next) {
            this.status = status;
            this.name = name;
            this.next = next;
            this.any = name;
            this.total = status * 10_000_000_000L;
            this.weight = status / 2.0;
            this.part = status / 4f;
            this.open = status > 1;
        }
    }

    private int own = 7;
    private static long ticks;

    /** The clock. */
    public static long now() {
        return ticks;
    }

    static void say(boolean fires) {
        System.out.println(fires);
    }

    // condition: arg0 > 3
    static boolean ints(int a) {
        return a > 3;
    }

    // condition: 3 >= arg0 && arg0 != -2
    static boolean mirrored(int a) {
        return 3 >= a && a != -2;
    }

    // condition: arg0 < 1 || arg1 <= 2 && !(arg0 == 5) || arg1 == 9
    static boolean joined(int a, int b) {
        return a < 1 || b <= 2 && !(a == 5) || b == 9;
    }

    // condition: !(arg0 < 1 || (arg1 <= 2 && arg0 != 5)) && (arg0 > 2 || arg1 > 5)
    static boolean negated(int a, int b) {
        return !(a < 1 || (b <= 2 && a != 5)) && (a > 2 || b > 5);
    }

    // condition: arg0 >= 5000000000
    static boolean longs(long a) {
        return a >= 5000000000L;
    }

    // condition: arg0 == arg1
    static boolean intAndLong(int a, long b) {
        return a == b;
    }

    // condition: arg0 < arg1
    static boolean longAndDouble(long a, double b) {
        return a < b;
    }

    // condition: arg0 >= arg1
    static boolean longAndFloat(long a, float b) {
        return a >= b;
    }

    // condition: arg0 != arg1
    static boolean floatAndDouble(float a, double b) {
        return a != b;
    }

    // condition: arg0 < 1.5
    static boolean less(double a) {
        return a < 1.5;
    }

    // condition: arg0 <= 1.5
    static boolean lessOrEqual(double a) {
        return a <= 1.5;
    }

    // condition: arg0 > 1.5
    static boolean greater(double a) {
        return a > 1.5;
    }

    // condition: arg0 >= 1.5
    static boolean greaterOrEqual(double a) {
        return a >= 1.5;
    }

    // condition: arg0 == 1.5
    static boolean equal(double a) {
        return a == 1.5;
    }

    // condition: !(arg0 < 1.5)
    static boolean notLess(float a) {
        return !(a < 1.5);
    }

    // condition: !(arg0 >= arg1) || arg0 > arg1
    static boolean floats(float a, float b) {
        return !(a >= b) || a > b;
    }

    // condition: arg0 == 120 && arg1 < 0 && arg2 > 200
    static boolean narrow(char a, byte b, short c) {
        return a == 120 && b < 0 && c > 200;
    }

    // condition: arg0
    static boolean truth(boolean a) {
        return a;
    }

    // condition: !arg0 && arg1 == true || arg0 != arg1
    static boolean truths(boolean a, boolean b) {
        return !a && b == true || a != b;
    }

    // condition: arg0 == "text"
    static boolean text(String a) {
        return "text".equals(a);
    }

    // condition: arg0 != "text" && arg1 == "a\"b"
    static boolean texts(String a, Object b) {
        return !"text".equals(a) && "a\"b".equals(b);
    }

    // condition: arg0 == null
    static boolean isNull(Object a) {
        return a == null;
    }

    // condition: arg0 != null && arg1 == null
    static boolean nulls(int[] a, Order b) {
        return a != null && b == null;
    }

    // condition: arg0 == arg1
    static boolean same(Object a, String b) {
        return a == b;
    }

    // condition: arg0.status >= 500
    static boolean field(Order a) {
        return a != null && a.status >= 500;
    }

    // condition: args[0].next.next.status == 3 || args[0].status == 9
    static boolean path(Order a) {
        return a != null && (a.next != null && a.next.next != null && a.next.next.status == 3 || a.status == 9);
    }

    // condition: arg0.total > 10000000000 && arg0.weight < 600.5 && arg0.part >= 1 && arg0.open
    static boolean fields(Order a) {
        return a.total > 10000000000L && a.weight < 600.5 && a.part >= 1 && a.open;
    }

    // condition: arg0.name == "b" && arg0.letter == 120 && arg0.small < 0 && arg0.any != null
    static boolean otherFields(Order a) {
        return "b".equals(a.name) && a.letter == 120 && a.small < 0 && a.any != null;
    }

    // condition: arg0.next == null
    static boolean nullField(Order a) {
        return a != null && a.next == null;
    }

    // A comparison that meets null is false, and its negation true.
    // condition: !(arg0.next.status == 1)
    static boolean notOfNull(Order a) {
        return !(a != null && a.next != null && a.next.status == 1);
    }

    // condition: arg0.status > arg1.status
    static boolean twoPaths(Order a, Order b) {
        return a != null && b != null && a.status > b.status;
    }

    // condition: cost > 10
    static boolean slow(int takes) {
        ticks += takes;
        return takes > 10;
    }

    // condition: cost >= 1us && cost < 1.5us || arg0 == 5 && cost == 5ns
    static boolean times(int takes) {
        ticks += takes;
        return takes >= 1000 && takes < 1500 || takes == 5;
    }

    // condition: (arg0 == 1 || arg1 == 2) && (cost > 5 || arg0 == 2)
    static boolean between(int a, int b) {
        ticks += b + 4;
        return (a == 1 || b == 2) && (b + 4 > 5 || a == 2);
    }

    // condition: result
    static boolean resultTruth(int a) {
        return a == 1;
    }

    // condition: result > 5 || result == -1
    static long resultLong(int a) {
        return a;
    }

    // condition: (result == "b" || arg0 == 3) && result != null
    static String resultText(int a) {
        return a == 1 ? "b" : a == 2 ? "c" : a == 3 ? null : "";
    }

    // condition: result.status == 2 || arg0 == 7
    static Order resultField(int a) {
        return a == 3 ? null : new Order(a, null, null);
    }

    // condition: this.own == arg0 || this.inherited > 5
    boolean ofThis(int a) {
        return own == a || inherited > 5;
    }

    // condition: arg0 > 3
    static boolean overwritten(int a) {
        boolean fires = a > 3;
        a = -a;
        return fires;
    }

    public static void main(String[] arguments) {
        for (int a : new int[] {-2, 0, 1, 3, 4, 5, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            say(ints(a));
            say(mirrored(a));
            for (int b : new int[] {2, 3, 6, 9}) {
                say(joined(a, b));
                say(negated(a, b));
            }
            for (long b : new long[] {a, a + 1L, a + (1L << 32)}) {
                say(longs(b));
                say(intAndLong(a, b));
                say(longAndDouble(b, a));
                say(longAndFloat(b, a));
            }
            say(overwritten(a));
        }
        say(longs(5000000000L));
        say(longs(4999999999L));
        double[] doubles = {0, -0.0, 1.5, Math.nextUp(1.5), Math.nextDown(1.5), Double.NaN, Double.POSITIVE_INFINITY, -7};
        for (double a : doubles) {
            say(less(a));
            say(lessOrEqual(a));
            say(greater(a));
            say(greaterOrEqual(a));
            say(equal(a));
            say(notLess((float) a));
            say(longAndDouble(1L, a));
            say(longAndFloat(1L, (float) a));
            for (double b : doubles) {
                say(floats((float) a, (float) b));
                say(floatAndDouble((float) a, b));
            }
        }
        say(longAndDouble(Long.MAX_VALUE, 9.3e18));
        say(longAndDouble((1L << 53) + 1, 1L << 53));
        say(longAndFloat((1 << 24) + 1, 1 << 24));
        for (char a : new char[] {'x', 'y'}) {
            for (short c : new short[] {200, 201, -200}) {
                say(narrow(a, (byte) -1, c));
                say(narrow(a, (byte) 1, c));
            }
        }
        for (boolean a : new boolean[] {true, false}) {
            say(truth(a));
            say(truths(a, true));
            say(truths(a, false));
        }
        String made = new StringBuilder("te").append("xt").toString();
        for (String a : new String[] {"text", made, "Text", "", null, "a\"b"}) {
            say(text(a));
            say(texts(a, a));
            say(texts(a, "a\"b"));
            say(texts(a, 5));
            say(isNull(a));
            say(same(a, a));
            say(same(a, made));
        }
        Order none = null;
        Order three = new Order(3, "b", null);
        Order chain = new Order(1, "b", new Order(2, null, three));
        Order large = new Order(900, "b", three);
        for (Order a : new Order[] {none, three, chain, large, chain.next, new Order(9, "c", null), new Order(500, null, chain)}) {
            say(field(a));
            say(path(a));
            say(nullField(a));
            say(notOfNull(a));
            say(twoPaths(a, three));
            say(twoPaths(chain, a));
            say(nulls(new int[0], a));
            say(nulls(null, a));
            if (a != null) {
                say(fields(a));
                say(otherFields(a));
            }
        }
        for (int takes : new int[] {0, 5, 10, 11, 999, 1000, 1499, 1500}) {
            say(slow(takes));
            say(times(takes));
        }
        for (int a = 0; a < 4; a++) {
            for (int b = 0; b < 4; b++) {
                say(between(a, b));
            }
            say(resultTruth(a));
            long l = resultLong(a == 3 ? -1 : a * 3);
            say(l > 5 || l == -1);
            String t = resultText(a);
            say(("b".equals(t) || a == 3) && t != null);
            Order o = resultField(a);
            say(o != null && o.status == 2 || a == 7);
        }
        say(resultField(7).status == 7);
        Conditions conditions = new Conditions();
        say(conditions.ofThis(7));
        say(conditions.ofThis(6));
        conditions.inherited = 6;
        say(conditions.ofThis(6));
    }
}

class Base {
    protected long inherited;
    static int shared = 3;
    private int hidden;
}
