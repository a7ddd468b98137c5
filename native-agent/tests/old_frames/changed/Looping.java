// Another version of Looping.

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
        return "new";
    }

    String say() {
        return "second";
    }
}
