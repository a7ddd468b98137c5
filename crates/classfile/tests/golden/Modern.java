// release: 17
// Records, sealed types, string concatenation by invokedynamic, nest mates, private interface methods, switch expressions.
package golden;

import java.util.List;
import java.util.Objects;

public class Modern {
    sealed interface Expression permits Number, Sum, Negated {
        private int depthOf(Expression part) {
            return part.depth() + 1;
        }

        default int depth() {
            return this instanceof Sum sum ? depthOf(sum.left) : this instanceof Negated negated ? depthOf(negated.of) : 0;
        }
    }

    record Number(long value) implements Expression {
        Number {
            if (value < 0) {
                throw new IllegalArgumentException("negative: " + value);
            }
        }
    }

    record Sum(Expression left, Expression right) implements Expression {
        static Sum of(long a, double b) {
            return new Sum(new Number(a), new Number((long) b));
        }
    }

    record Negated(Expression of) implements Expression {
    }

    record Empty() {
    }

    record Wide(byte b, short s, char c, int i, long l, float f, double d, boolean z, String t, int[] a) {
    }

    private int secret = 7;

    class Mate {
        private int peek() {
            return secret + hidden();
        }
    }

    private int hidden() {
        return secret++;
    }

    public static void main(String[] arguments) {
        Expression sum = new Sum(Sum.of(1, 2.5), new Negated(new Number(4)));
        System.out.println(sum + " " + sum.depth() + " " + evaluate(sum));
        System.out.println(sum.equals(new Sum(Sum.of(1, 2), new Negated(new Number(4)))) + " " + new Empty());
        System.out.println(Objects.hash(new Number(5).hashCode(), new Empty().hashCode()));
        Wide wide = new Wide((byte) 1, (short) 2, 'c', 3, 4L, 5f, 6.0, true, "t", null);
        System.out.println(wide + "" + wide.equals(wide) + wide.d() + wide.l());
        try {
            new Number(-1);
        } catch (IllegalArgumentException expected) {
            System.out.println(expected.getMessage());
        }
        System.out.println(new Modern().new Mate().peek());
        System.out.println(concat('c', 1L, 2.5, null, true, "\u0001"));
        for (String day : List.of("mon", "sun", "other")) {
            System.out.println(day(day) + block(day.length()));
        }
        var text = """
            a "text"
              block""";
        System.out.println(text);
    }

    static long evaluate(Expression expression) {
        if (expression instanceof Number number && number.value() != 0) {
            return number.value();
        }
        if (expression instanceof Sum sum) {
            return evaluate(sum.left()) + evaluate(sum.right());
        }
        return expression instanceof Negated negated ? -evaluate(negated.of()) : 0;
    }

    static String concat(char c, long l, double d, Object o, boolean z, String s) {
        String text = "a" + c + l + d + o + z + s.length();
        text += text.length();
        return text;
    }

    static int day(String name) {
        return switch (name) {
            case "sat", "sun" -> 0;
            case "mon" -> 1;
            default -> name.length();
        };
    }

    static double block(int n) {
        return switch (n) {
            case 3 -> {
                double half = n / 2.0;
                yield half * n;
            }
            case 5 -> throwing(n);
            default -> -1;
        };
    }

    static long throwing(int n) {
        try {
            throw new IllegalStateException("" + n);
        } catch (IllegalStateException caught) {
            return caught.getMessage().length();
        }
    }
}
