// Uses what a class file can say, and prints what comes of it: by running, and by reflection.

import java.lang.annotation.Annotation;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;

public class Golden {
    @Retention(RetentionPolicy.RUNTIME)
    @interface Mark {
        String value() default "none";
        int[] numbers() default {1, 2};
        Class<?> type() default Object.class;
        Thread.State state() default Thread.State.NEW;
        Inner inner() default @Inner(2.5);
    }

    @Retention(RetentionPolicy.RUNTIME)
    @interface Inner {
        double value();
    }

    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.TYPE_USE)
    @interface Type {
        long value() default 7L;
    }

    sealed interface Shape permits Circle, Square { }

    record Circle(@Mark("r") double radius, List<String> names) implements Shape { }

    record Square(float side) implements Shape { }

    enum Colour { RED, GREEN { @Override String paint() { return "grass"; } }, BLUE; String paint() { return name(); } }

    static final long LONG = 1L << 40;
    static final String TEXT = "text\0\u20ac";
    @Mark(value = "field", numbers = {}) @Type(9) Map<String, @Type List<int[]>> map = new TreeMap<>();

    @Mark(type = String[].class, state = Thread.State.BLOCKED, inner = @Inner(0.125))
    static <T extends Comparable<T>> T most(@Mark("list") List<T> list) throws IllegalStateException {
        return list.stream().max(Comparator.naturalOrder()).orElseThrow(() -> new IllegalStateException("empty"));
    }

    static String kind(Object o, Colour colour) {
        String said = o instanceof Circle c ? "circle " + c.radius() + c.names() : "no circle " + o;
        switch (colour) {
            case RED: return said + " red";
            case GREEN: return said + " green";
            default: return said + switch (said.length() % 3) { case 0 -> 'a'; case 1 -> 1.5f; default -> 3L; };
        }
    }

    int tangled(int n) {
        int sum = 0;
        outer:
        for (int i = 0; i < n; i++) {
            for (long j = 0; ; j++) {
                try {
                    if (j > i) continue outer;
                    Object o = j % 2 == 0 ? new StringBuilder(i > 2 ? "even" : "Even") : Long.valueOf(j);
                    sum += o.hashCode() == 5 ? 5 : o.toString().length();
                    if (sum > 70) throw new IllegalArgumentException("sum " + sum + " of " + n);
                } catch (IllegalArgumentException e) {
                    sum -= e.getMessage().length();
                } finally {
                    sum++;
                }
            }
        }
        return sum;
    }

    /** Annotations with their elements in the order of the alphabet: reflection has none. */
    static String text(Object value) throws ReflectiveOperationException {
        List<String> said = new ArrayList<>();
        if (value instanceof Annotation annotation) {
            for (Method element : annotation.annotationType().getDeclaredMethods()) {
                said.add(element.getName() + "=" + text(element.invoke(annotation)));
            }
            said.sort(Comparator.naturalOrder());
            return annotation.annotationType() + said.toString();
        }
        if (value == null || !value.getClass().isArray()) {
            return String.valueOf(value);
        }
        for (int i = 0; i < Array.getLength(value); i++) {
            said.add(text(Array.get(value, i)));
        }
        return said.toString();
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println(most(Arrays.asList("a", "c", "b")) + LONG + TEXT + Math.PI + Integer.MAX_VALUE + 1e30f);
        System.out.println(kind(new Circle(2, List.of("x")), Colour.RED) + kind(3, Colour.GREEN) + kind("", Colour.BLUE));
        System.out.println(new Circle(1, null) + " " + new Square(2).equals(new Square(2)) + new Square(3).hashCode());
        System.out.println(Colour.GREEN.paint() + Colour.valueOf("BLUE").paint() + new Golden().tangled(12));
        Supplier<Function<String, Integer>> nested = () -> String::length;
        System.out.println(nested.get().apply("four") + new Object() { int three() { return 3; } }.three());
        int[][][] cube = new int[2][3][];
        System.out.println(cube.getClass() + " " + cube[1].length + int[].class + Golden[].class);
        List<String> said = new ArrayList<>();
        for (Class<?> found : new Class<?>[] {Golden.class, Circle.class, Square.class, Shape.class, Colour.class, Mark.class}) {
            said.add(found + " " + found.getNestHost() + Arrays.toString(found.getInterfaces()) + found.isSealed() + found.getModifiers());
            if (found.isRecord()) said.add(found + Arrays.toString(found.getRecordComponents()));
            if (found.isSealed()) said.add(Arrays.toString(found.getPermittedSubclasses()));
            for (Method method : found.getDeclaredMethods()) {
                said.add(method.toGenericString() + text(method.getAnnotations()) + text(method.getDefaultValue())
                    + text(method.getParameterAnnotations()) + Arrays.toString(method.getParameters()));
            }
            for (java.lang.reflect.Field field : found.getDeclaredFields()) {
                AnnotatedType type = field.getAnnotatedType();
                said.add(field.toGenericString() + text(field.getAnnotations()) + text(type.getAnnotations()) + type);
            }
        }
        for (Class<?> found : Golden.class.getDeclaredClasses()) said.add("member " + found);
        said.sort(Comparator.naturalOrder());
        said.forEach(System.out::println);
        try {
            most(new ArrayList<String>());
        } catch (IllegalStateException e) {
            System.out.println(e + " at " + e.getStackTrace()[0].getLineNumber());
        }
        System.out.println("done");
    }
}
