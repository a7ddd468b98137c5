// The version that is loaded; changed/Changing.java is the other.

import java.util.function.IntUnaryOperator;

final class Changing {
    private int calls;

    int kept(int i) {
        IntUnaryOperator twice = n -> n * 2;
        calls++;
        return twice.applyAsInt(i) + "kept".length() + (int) 123456789012L;
    }

    String changed() {
        return "first";
    }

    static double also(Object given) {
        return given instanceof String ? 0.25 : 70000;
    }
}
