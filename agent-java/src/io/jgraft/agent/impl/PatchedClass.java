// One row of the state: a class that was changed, with what it was and what it is to be. In the state it is an array of
// JDK objects, which implementations of other versions read as well: {WeakReference<Class>, base bytes, current bytes}.
package io.jgraft.agent.impl;

import java.lang.instrument.ClassDefinition;
import java.lang.ref.WeakReference;

final class PatchedClass {
    /** The same object in every state that has the class; it keeps no class alive. */
    final WeakReference<?> reference;
    final byte[] base;
    /** The very array {@link #base} where the class was patched once and is not any more. */
    final byte[] current;

    PatchedClass(WeakReference<?> reference, byte[] base, byte[] current) {
        this.reference = reference;
        this.base = base;
        this.current = current;
    }

    static PatchedClass of(Object[] row) {
        return new PatchedClass((WeakReference<?>) row[0], (byte[]) row[1], (byte[]) row[2]);
    }

    Object[] row() {
        return new Object[] {reference, base, current};
    }

    boolean isPatched() {
        return base != current;
    }

    /** Null where the class is unloaded. */
    Class<?> get() {
        return (Class<?>) reference.get();
    }

    ClassDefinition definition(byte[] bytes) {
        Class<?> c = get();
        return c == null ? null : new ClassDefinition(c, bytes);
    }

    static PatchedClass find(PatchedClass[] rows, Class<?> c) {
        for (PatchedClass row : rows) {
            if (row.get() == c) {
                return row;
            }
        }
        return null;
    }
}
