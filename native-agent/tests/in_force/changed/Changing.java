// As Changing.java, but for what changed() does, by which most constants stand elsewhere.

import java.util.function.IntUnaryOperator;

final class Changing {
    private int calls;

    int kept(int i) {
        IntUnaryOperator twice = n -> n * 2;
        calls++;
        return twice.applyAsInt(i) + "kept".length() + (int) 123456789012L;
    }

    String changed() {
        StringBuilder text = new StringBuilder("second");
        for (int i = 80000; i < 80002; i++) {
            text.append(Integer.toHexString(i)).append(3.5f);
        }
        return text.toString();
    }

    static double also(Object given) {
        return given instanceof String ? 0.25 : 70000;
    }
}
