// A piece of heap held while a foreign agent starts and given back before its failure is described, so that an agent
// which fills the heap cannot silence its own OutOfMemoryError.
package io.jgraft.agent.impl;

final class Reserve {
    /** With the array header more than one of G1's smallest regions: only whole regions are free again. */
    private static final int SIZE = 1 << 20;

    /** Volatile, so that no compiler leaves it out. */
    private static volatile byte[] held;

    private Reserve() {
    }

    static void hold() {
        held = new byte[SIZE];
    }

    static void release() {
        held = null;
    }
}
