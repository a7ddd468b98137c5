// synchronized methods and blocks, entered again, left by return and by exception; the lock is free afterwards.
package golden;

public class Locks {
    private int count;

    public static void main(String[] arguments) {
        Locks locks = new Locks();
        System.out.println(locks.add(3L) + " " + sum(1, 2.5));
        for (int i = 0; i < 3; i++) {
            try {
                System.out.println(locks.block(i) + " " + locks.nested(i, "b"));
            } catch (IllegalStateException expected) {
                System.out.println(expected.getMessage());
            }
            System.out.println(Thread.holdsLock(locks) + " " + Thread.holdsLock(Locks.class));
        }
        try {
            locks.failing(1.5);
        } catch (NullPointerException expected) {
            System.out.println(Thread.holdsLock(locks));
        }
    }

    synchronized long add(long by) {
        count += by;
        return by > 0 ? add(by - 1) + count : count;
    }

    static synchronized double sum(int a, double b) {
        return a + b;
    }

    int block(int i) {
        synchronized (this) {
            if (i == 1) {
                throw new IllegalStateException("inside");
            }
            if (i == 0) {
                return 10;
            }
        }
        return 20;
    }

    String nested(int i, String text) {
        synchronized (this) {
            synchronized (Locks.class) {
                for (int n = 0; n < i; n++) {
                    synchronized (text) {
                        text += n;
                    }
                }
                return text;
            }
        }
    }

    synchronized void failing(double d) {
        Object nothing = null;
        nothing.hashCode();
    }
}
