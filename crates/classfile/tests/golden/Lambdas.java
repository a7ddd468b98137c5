// invokedynamic: lambdas that capture, method references, streams.
package golden;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

public class Lambdas {
    private final long base;

    Lambdas(long base) {
        this.base = base;
    }

    public static void main(String[] arguments) {
        int two = 2;
        Function<Integer, Integer> twice = n -> n * two;
        System.out.println(twice.andThen(n -> n + 1).apply(5));
        Lambdas lambdas = new Lambdas(40);
        LongSupplier supplier = () -> lambdas.base + two;
        System.out.println(supplier.getAsLong() + lambdas.add().apply(1L, 2.5));
        Supplier<List<String>> maker = ArrayList::new;
        List<String> list = maker.get();
        Arrays.asList("c", "a", "b").stream().sorted().map(Lambdas::loud).forEach(list::add);
        System.out.println(list.stream().collect(Collectors.joining(",")));
        try {
            Arrays.asList(1, 0).forEach(n -> System.out.println(10 / n));
        } catch (ArithmeticException expected) {
            System.out.println(expected.getMessage());
        }
        Runnable nested = () -> {
            Runnable inner = () -> System.out.println("inner " + list.size());
            inner.run();
        };
        nested.run();
    }

    BiFunction<Long, Double, Double> add() {
        return (a, b) -> base + a + b;
    }

    static String loud(String text) {
        return text.toUpperCase();
    }
}
