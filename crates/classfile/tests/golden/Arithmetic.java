// Every operator on every primitive type, conversions between them, with longs and doubles in every place of a call.
package golden;

public class Arithmetic {
    static long total;
    double sum = 1.5;
    float part = 0.5f;
    byte small = -3;
    short medium = 300;
    char letter = 'x';
    boolean set = true;

    public static void main(String[] arguments) {
        System.out.println(ints(7, 3) + " " + ints(-7, 33) + " " + longs(1L << 40, 5L) + " " + longs(-9L, -2L));
        System.out.println(floats(1.5f, -2.25f) + " " + doubles(1e300, 3.0) + " " + doubles(Double.NaN, 1));
        System.out.println(mixed((byte) 1, 2L, (short) 3, 4.0, 'e', 6f, true, "h"));
        Arithmetic fields = new Arithmetic();
        System.out.println(fields.touch(2L, 1.0) + " " + total + " " + fields.sum + " " + fields.medium);
        System.out.println(narrow(300) + " " + (int) chars(70000) + " " + shorts(70000) + " " + truth(2));
        System.out.println(compare(1f, Float.NaN) + compare(2.0, 1.0) + compare(3L, 3L));
        try {
            longs(1, 0);
        } catch (ArithmeticException expected) {
            System.out.println(expected.getMessage());
        }
    }

    static int ints(int a, int b) {
        int r = a + b;
        r = r * a - b;
        r ^= a / b;
        r |= a % b;
        r &= ~(a << b);
        r += a >> b;
        r -= a >>> b;
        r = -r;
        r++;
        r += 1000;
        r += 100_000;
        return r;
    }

    static long longs(long a, long b) {
        long r = a + b;
        r = r * a - b;
        r ^= a / b;
        r |= a % b;
        r &= ~(a << (int) b);
        r += a >> b;
        r -= a >>> b;
        long kept = r;
        r = -r;
        return r + kept * 2 + 1L + 0L;
    }

    static float floats(float a, float b) {
        float r = a + b * 2f - 1f;
        r /= b;
        r %= 0.75f;
        return -r + 0f;
    }

    static double doubles(double a, double b) {
        double r = a + b * 2.5 - 1.0;
        r /= b;
        r %= 0.75;
        return -r + 0.0;
    }

    static double mixed(byte a, long b, short c, double d, char e, float f, boolean g, String h) {
        int i = (int) b + (int) d + (int) f;
        long l = (long) f + (long) d + a;
        float s = (float) d + (float) b + c;
        double r = i + l + s + e + (g ? 1 : 0) + h.length();
        return r + (byte) i + (char) l + (short) r + (float) i;
    }

    long touch(long by, double factor) {
        sum += by * factor;
        part *= 2;
        small++;
        medium -= by;
        letter += 1;
        set = !set;
        total += by;
        total += letter;
        return total++ + ++small;
    }

    static byte narrow(int value) {
        return (byte) value;
    }

    static char chars(int value) {
        return (char) value;
    }

    static short shorts(int value) {
        return (short) value;
    }

    static boolean truth(int value) {
        return value > 1;
    }

    static String compare(float a, float b) {
        return (a < b) + "," + (a > b) + "," + (a <= b) + "," + (a >= b) + "," + (a == b) + "," + (a != b) + ";";
    }

    static String compare(double a, double b) {
        return (a < b) + "," + (a > b) + "," + (a <= b) + "," + (a >= b) + "," + (a == b) + "," + (a != b) + ";";
    }

    static String compare(long a, long b) {
        return (a < b) + "," + (a > b) + "," + (a <= b) + "," + (a >= b) + "," + (a == b) + "," + (a != b) + ";";
    }
}
