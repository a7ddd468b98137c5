// Nested, inner, local and anonymous classes, interfaces with default and static methods, enums, bridges, static
// initialisers that throw.
package golden;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

public class Members {
    interface Shape {
        double area();

        default String describe() {
            return name(getClass()) + " " + area();
        }

        static String name(Class<?> of) {
            return of.getSimpleName().isEmpty() ? "anonymous" : of.getSimpleName();
        }
    }

    static class Box<T extends Comparable<T>> implements Comparable<Box<T>>, Iterable<T> {
        private T held;

        Box(T held) {
            this.held = held;
        }

        @Override
        public int compareTo(Box<T> other) {
            return held.compareTo(other.held);
        }

        @Override
        public Iterator<T> iterator() {
            return new Iterator<T>() {
                private boolean done;

                @Override
                public boolean hasNext() {
                    return !done;
                }

                @Override
                public T next() {
                    done = true;
                    return held;
                }
            };
        }
    }

    enum Operation {
        ADD {
            @Override
            long apply(long a, long b) {
                return a + b;
            }
        },
        POWER {
            @Override
            long apply(long a, long b) {
                return b == 0 ? 1 : a * apply(a, b - 1);
            }
        };

        abstract long apply(long a, long b);
    }

    static class Broken {
        static int value = 1 / zero();

        static int zero() {
            return 0;
        }

        static int get() {
            return value;
        }
    }

    static class Started {
        static final List<String> LOG = new ArrayList<>();

        static {
            for (int i = 0; i < 2; i++) {
                LOG.add("s" + i);
            }
        }
    }

    private int count;

    class Counter {
        int up() {
            return ++count;
        }
    }

    public static void main(String[] arguments) {
        class Square implements Shape {
            private final double side;

            Square(double side) {
                this.side = side;
            }

            @Override
            public double area() {
                return side * side;
            }
        }
        System.out.println(new Square(1.5).describe());
        System.out.println(new Shape() {
            @Override
            public double area() {
                return arguments.length;
            }
        }.describe());
        System.out.println(new Box<>("a").compareTo(new Box<>("b")));
        for (String held : new Box<>("held")) {
            System.out.println(held);
        }
        for (Operation operation : Operation.values()) {
            System.out.println(operation + " " + operation.apply(2, 5) + Operation.valueOf("ADD").ordinal());
        }
        for (int i = 0; i < 2; i++) {
            try {
                System.out.println(Broken.get());
            } catch (ExceptionInInitializerError error) {
                System.out.println("initialiser: " + error.getCause());
            } catch (NoClassDefFoundError error) {
                System.out.println("no class");
            }
        }
        System.out.println(Started.LOG);
        Members members = new Members();
        Counter counter = members.new Counter();
        System.out.println(counter.up() + counter.up() + members.count);
    }
}
