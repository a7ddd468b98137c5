// try, catch and finally in each other; exceptions caught inside, passing through, replaced by finally; resources.
package golden;

public class Tries {
    static class Mine extends Exception {
        Mine(String message) {
            super(message);
        }
    }

    static class Held implements AutoCloseable {
        private final String name;

        Held(String name) {
            this.name = name;
        }

        @Override
        public void close() throws Mine {
            System.out.println("close " + name);
            if (name.equals("bad")) {
                throw new Mine("closing " + name);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < 6; i++) {
            System.out.println("nested " + nested(i));
            System.out.println("overriding " + overriding(i));
            System.out.println("caught " + caughtInside(i));
            try {
                System.out.println("resources " + resources(i));
            } catch (Mine mine) {
                System.out.println(mine.getMessage() + " " + mine.getSuppressed().length);
            }
            try {
                passing(i);
            } catch (Mine | RuntimeException thrown) {
                System.out.println("passed " + thrown.getMessage());
            } catch (Error error) {
                System.out.println("error " + error.getMessage());
            }
        }
        System.out.println(looping(5));
    }

    static void fail(int how) throws Mine {
        switch (how) {
            case 1: throw new Mine("mine");
            case 2: throw new IllegalArgumentException("argument");
            case 3: throw new AssertionError("assertion");
            case 4: throw null;
            default:
        }
    }

    static long nested(int i) {
        long result = 1;
        try {
            try {
                fail(i);
                result += 10;
            } catch (Mine mine) {
                result += 100;
                try {
                    fail(i + 1);
                } finally {
                    result += 1000;
                }
            } finally {
                result += 10_000;
            }
        } catch (Exception | AssertionError other) {
            result = -result;
        } finally {
            result++;
        }
        return result;
    }

    @SuppressWarnings("finally")
    static int overriding(int i) {
        try {
            fail(i);
            return 1;
        } catch (Mine mine) {
            return 2;
        } finally {
            if (i != 5) {
                return 3;
            }
        }
    }

    static String caughtInside(int i) {
        String said = "";
        for (int n = 0; n < 2; n++) {
            try {
                fail(i + n);
                said += "fine,";
            } catch (Throwable thrown) {
                said += thrown.getClass().getSimpleName() + ",";
            }
        }
        return said;
    }

    static int resources(int i) throws Mine {
        try (Held first = new Held(i % 2 == 0 ? "good" : "bad"); Held second = i == 3 ? null : new Held("second")) {
            fail(i == 1 || i == 2 ? 1 : 0);
            return second == null ? -1 : i;
        }
    }

    static void passing(int i) throws Mine {
        try {
            deeper(i);
        } finally {
            System.out.println("passing " + i);
        }
    }

    static double deeper(int i) throws Mine {
        double kept = i;
        deepest(i, kept);
        return kept;
    }

    static void deepest(int i, double d) throws Mine {
        synchronized (Tries.class) {
            fail(i);
        }
    }

    static int looping(int n) {
        int sum = 0;
        while (true) {
            try {
                if (n-- == 0) {
                    return sum;
                }
                if (n == 2) {
                    continue;
                }
                sum += n;
            } finally {
                sum += 100;
            }
        }
    }
}
