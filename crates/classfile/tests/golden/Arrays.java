// Arrays of every type and dimension, read, written, compared, cast, and failing.
package golden;

public class Arrays {
    public static void main(String[] arguments) {
        System.out.println(all(2));
        System.out.println(many(3, 2)[2][1] + " " + many(1, 1).length);
        for (int index : new int[] {0, 5, -1}) {
            try {
                System.out.println(at(new Object[] {"b"}, index));
            } catch (ArrayIndexOutOfBoundsException expected) {
                System.out.println("out of bounds");
            }
        }
        try {
            store(new String[1], 7);
        } catch (ArrayStoreException expected) {
            System.out.println(expected.getMessage());
        }
        try {
            new Arrays().cast("text");
        } catch (ClassCastException expected) {
            System.out.println("no cast");
        }
        System.out.println(sum(1, 2, 3) + sum());
    }

    static String all(int n) {
        boolean[] z = new boolean[n];
        byte[] b = new byte[n];
        char[] c = new char[n];
        short[] s = new short[n];
        int[] i = new int[n];
        long[] l = new long[n];
        float[] f = new float[n];
        double[] d = new double[n];
        String[] t = {"one", null};
        z[1] = true;
        b[1] = 1;
        c[1] = 'c';
        s[1] = 2;
        i[1] += 3;
        l[1]++;
        f[1] = 5;
        d[1] -= 6;
        t[1] = t[0];
        return z[1] + " " + b[1] + c[1] + s[1] + i[1] + l[1] + f[1] + d[1] + t[1] + t.length;
    }

    static long[][] many(int rows, int columns) {
        long[][] table = new long[rows][columns];
        long[][][] half = new long[rows][][];
        for (int row = 0; row < rows; row++) {
            half[row] = new long[1][];
            for (int column = 0; column < columns; column++) {
                table[row][column] = row * 10L + column;
            }
        }
        return half[0].length == 1 ? table : null;
    }

    static Object at(Object[] array, int index) {
        return array[index];
    }

    static void store(Object[] array, Object value) {
        array[0] = value;
    }

    Integer cast(Object value) {
        return value instanceof Integer ? null : (Integer) value;
    }

    static int sum(int... values) {
        int sum = 0;
        for (int value : values) {
            sum += value;
        }
        return sum;
    }
}
