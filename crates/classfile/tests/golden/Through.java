// Exceptions that pass through frames of the program, of the JDK and of reflection, and are thrown again.
package golden;

import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;

public class Through {
    static class Deep extends RuntimeException {
        final int level;

        Deep(int level, Throwable cause) {
            super("level " + level, cause, false, level % 2 == 0);
            this.level = level;
        }
    }

    public static void main(String[] arguments) throws Exception {
        try {
            down(4);
        } catch (Deep deep) {
            System.out.println(deep.getMessage() + " " + deep.getStackTrace().length);
        }
        try {
            wrapped(3);
        } catch (Deep deep) {
            System.out.println(deep.level + " " + deep.getCause().getMessage());
        }
        try {
            Integer[] numbers = {3, 1, 2};
            Arrays.sort(numbers, new Comparator<Integer>() {
                @Override
                public int compare(Integer a, Integer b) {
                    if (a + b == 3) {
                        throw new Deep(0, null);
                    }
                    return a - b;
                }
            });
        } catch (Deep deep) {
            System.out.println("sorting " + deep.level);
        }
        Map<String, Integer> map = new HashMap<>();
        try {
            map.computeIfAbsent("k", key -> down(key.length()));
        } catch (Deep deep) {
            System.out.println("computing " + map);
        }
        try {
            Through.class.getDeclaredMethod("down", int.class).invoke(null, 1);
        } catch (InvocationTargetException expected) {
            System.out.println(expected.getCause().getMessage());
        }
        try {
            Integer.parseInt("x");
        } catch (NumberFormatException expected) {
            System.out.println(expected.getMessage());
        }
        try {
            System.arraycopy(new int[1], 0, new int[1], 0, 2);
        } catch (IndexOutOfBoundsException expected) {
            System.out.println("native");
        }
        again(new Deep(7, null));
    }

    static int down(int n) {
        if (n == 0) {
            throw new Deep(n, null);
        }
        return n + down(n - 1);
    }

    static long wrapped(int n) {
        try {
            return n == 0 ? down(0) : wrapped(n - 1);
        } catch (Deep deep) {
            throw new Deep(n, deep);
        }
    }

    static void again(Deep deep) {
        try {
            try {
                throw deep;
            } catch (Deep same) {
                throw same;
            } finally {
                System.out.println("again");
            }
        } catch (RuntimeException caught) {
            System.out.println(caught == deep);
        }
    }
}
