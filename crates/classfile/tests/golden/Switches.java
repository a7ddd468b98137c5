// Switches over ints, chars, strings and enums, dense and sparse, with returns, throws and falls through inside.
package golden;

public class Switches {
    enum Size { SMALL, LARGE, HUGE }

    public static void main(String[] arguments) {
        StringBuilder out = new StringBuilder();
        for (int i = -1; i < 6; i++) {
            out.append(dense(i)).append(' ').append(padded(i, i)).append(' ').append(sparse(i * 1000)).append(' ');
            out.append(falling(i)).append(' ').append(doubled(i, 2L)).append(';');
        }
        System.out.println(out);
        for (String text : new String[] {"Aa", "BB", "b", ""}) {
            System.out.println(strings(text));
        }
        for (Size size : Size.values()) {
            try {
                System.out.println(sizes(size));
            } catch (IllegalStateException expected) {
                System.out.println(expected.getMessage());
            }
        }
    }

    static int dense(int i) {
        switch (i) {
            case 0: return 10;
            case 1: return 11;
            case 2: return 12;
            case 4: return 14;
            default: return -1;
        }
    }

    static int padded(int i, int j) {
        j++;
        switch (i) {
            case 0: j += 2; break;
            case 1: j += 300; break;
            case 2: return j;
            default: j = -j;
        }
        switch (j) {
            case -3: return 5;
            case 3: return 6;
            case 500: return 7;
        }
        return j;
    }

    static String sparse(int i) {
        switch (i) {
            case Integer.MIN_VALUE: return "least";
            case 1000: return "one";
            case 4000: return "four";
            case Integer.MAX_VALUE: return "most";
            default: return "none";
        }
    }

    static int falling(int i) {
        int sum = 0;
        switch (i) {
            case 3: sum += 3;
            case 2: sum += 2;
            case 1: sum += 1;
        }
        return sum;
    }

    static double doubled(int i, long by) {
        double d = by;
        switch (i) {
            case 0:
                long inner = by * 2;
                return inner;
            case 1:
                double other = d * 3;
                d += other;
                break;
            default:
                d = -1;
        }
        return d;
    }

    static int strings(String text) {
        switch (text) {
            case "Aa": return 1;
            case "BB": return 2;
            case "b": return 3;
            default: return 0;
        }
    }

    static String sizes(Size size) {
        switch (size) {
            case SMALL: return "s";
            case LARGE: return "l";
            default: throw new IllegalStateException("too large: " + size);
        }
    }
}
