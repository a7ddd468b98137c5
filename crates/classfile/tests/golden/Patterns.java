// release: 21
// Patterns in switches: types, records, guards, null, sealed types and enums.
package golden;

public class Patterns {
    sealed interface Shape permits Circle, Square, Pair {
    }

    record Circle(double radius) implements Shape {
    }

    record Square(long side) implements Shape {
    }

    record Pair(Shape one, Shape two) implements Shape {
    }

    enum Colour { RED, BLUE }

    public static void main(String[] arguments) {
        for (Object o : new Object[] {1, 12, "b", "longer", 'c', 2.5, Colour.BLUE, new int[] {4}, null, new Circle(1)}) {
            System.out.println(describe(o));
        }
        Shape pair = new Pair(new Circle(2), new Pair(new Square(3), new Circle(0.5)));
        System.out.println(area(pair) + " " + nested(pair) + " " + nested(new Square(1)));
        try {
            System.out.println(area(null));
        } catch (NullPointerException expected) {
            System.out.println("null");
        }
        System.out.println(colour(Colour.RED) + colour(Colour.BLUE));
    }

    static String describe(Object o) {
        return switch (o) {
            case null -> "nothing";
            case Integer i when i > 10 -> "large " + i;
            case Integer i -> "small " + i;
            case String s when s.length() == 1 -> "letter " + s;
            case String s -> s.toUpperCase();
            case Colour c -> "colour " + c.ordinal();
            case int[] array -> "array of " + array.length;
            case Circle(double radius) when radius > 0 -> "circle " + radius;
            default -> o.toString();
        };
    }

    static double area(Shape shape) {
        return switch (shape) {
            case Circle(double radius) -> radius * radius;
            case Square(long side) -> side * side;
            case Pair(Shape one, Shape two) -> area(one) + area(two);
        };
    }

    static int nested(Shape shape) {
        if (shape instanceof Pair(Circle(var radius), Pair(Square(var side), var last)) && radius > 1) {
            return (int) (side + radius);
        }
        return -1;
    }

    static String colour(Colour colour) {
        return switch (colour) {
            case RED -> "r";
            case BLUE -> {
                String b = "b";
                yield b + colour;
            }
        };
    }
}
