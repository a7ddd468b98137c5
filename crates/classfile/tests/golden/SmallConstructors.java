// Exceptions before, in and behind super(): the first two are seen by the caller alone. Small enough to read its log.
package golden;

public class SmallConstructors {
    static class Base {
        Base(int value) {
            check(value, 1);
        }
    }

    static class Derived extends Base {
        Derived(int value) {
            super(check(value, 0));
            check(value, 2);
        }
    }

    static int check(int value, int wrong) {
        if (value == wrong) {
            throw new IllegalArgumentException("wrong");
        }
        return value;
    }

    public static void main(String[] arguments) {
        for (int value = 0; value < 4; value++) {
            try {
                new Derived(value);
            } catch (IllegalArgumentException expected) {
                System.out.println(expected.getMessage());
            }
        }
    }
}
