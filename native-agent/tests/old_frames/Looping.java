// The version that is loaded; changed/Looping.java is the other.

final class Looping {
    /** Does the same in both. */
    String outer(Gate gate) {
        return loop(gate, 3);
    }

    String loop(Gate gate, int depth) {
        if (depth > 0) {
            return loop(gate, depth - 1);
        }
        while (gate.turn()) {
            say();
        }
        return "old";
    }

    String say() {
        return "first";
    }
}
