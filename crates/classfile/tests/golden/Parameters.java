// Parameters that are overwritten: probes see them as they came in.
package golden;

public class Parameters {
    private String name = "p";

    public static void main(String[] arguments) {
        System.out.println(new Parameters().all(true, (byte) 1, 'c', (short) 2, 3, 4L, 5f, 6.0, "b", new int[] {7}));
        System.out.println(shuffle(1L, 2.0, 3, 4L));
        System.out.println(loop(5, "b") + loop(0, null));
        System.out.println(wide(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20));
        try {
            change(null);
        } catch (IllegalArgumentException expected) {
            System.out.println(expected.getMessage());
        }
    }

    String all(boolean z, byte b, char c, short s, int i, long l, float f, double d, String t, int[] a) {
        z = !z;
        b += 10;
        c++;
        s *= 2;
        i <<= 3;
        l = -l;
        f /= 3;
        d = Math.sqrt(d);
        t = t + name;
        a = null;
        return z + "" + b + c + s + i + l + f + d + t + a;
    }

    static double shuffle(long a, double b, int c, long d) {
        for (int i = 0; i < c; i++) {
            long kept = a;
            a = d;
            d = kept;
            b += a;
        }
        return b * 100 + a;
    }

    static String loop(int n, String text) {
        while (n > 0) {
            text += n--;
            if (text.length() > 4) {
                text = null;
                break;
            }
        }
        return text;
    }

    static long wide(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j, double k, double l,
            double m, double n, double o, double p, double q, double r, double s, double t) {
        a = b + c;
        t = s + r;
        return a + d + e + f + g + h + i + j + (long) (k + l + m + n + o + p + q + r + s + t);
    }

    static void change(Object text) {
        text = text == null ? "was null" : text;
        throw new IllegalArgumentException(text.toString());
    }
}
