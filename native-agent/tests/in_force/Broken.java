// A class whose constants cannot be resolved, since Gone is not there: a JVM marks each of them once it has tried.

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;

final class Broken {
    private Broken() {}

    /** How many of its ways fail. */
    static int failures() throws Exception {
        int failures = 0;
        for (Callable<?> way : ways()) {
            try {
                way.call();
            } catch (LinkageError error) {
                failures++;
            }
        }
        return failures;
    }

    private static Callable<?>[] ways() {
        return new Callable<?>[] {
            Broken::made, Broken::named, Broken::looked, Broken::counted, Broken::maker, Broken::taker, Broken::many,
        };
    }

    private static Object made() {
        return new Gone();
    }

    private static Object named() {
        return Gone.class;
    }

    private static Object looked() {
        return (Object) "given" instanceof Gone;
    }

    private static Object counted() {
        return Gone.count();
    }

    private static Object maker() {
        Supplier<Object> maker = Gone::new;
        return maker;
    }

    private static Object taker() {
        Function<Gone, String> taker = gone -> "taken" + gone;
        return taker;
    }

    private static Object many() {
        return new Gone[2][3];
    }

    /** Calls whose signature is that of the call, which the JVM rewrites in its own way. */
    static int handles() {
        try {
            MethodType type = MethodType.methodType(int.class);
            MethodHandle length = MethodHandles.lookup().findVirtual(String.class, "length", type);
            return (int) length.invokeExact("four") + (int) length.invoke((CharSequence) "seven");
        } catch (Throwable thrown) {
            throw new IllegalStateException(thrown);
        }
    }
}
