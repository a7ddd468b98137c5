// One row of the state: a class that is not loaded yet and is to be patched when its loader loads it. In the state it is
// {name with slashes, WeakReference<ClassLoader> or null for the boot loader, base bytes, current bytes}.
package io.jgraft.agent.impl;

import java.lang.ref.WeakReference;

final class WantedClass {
    /** With slashes, as transformers are told it. */
    final String name;
    /** Null is the boot loader. */
    final WeakReference<?> loader;
    final byte[] base;
    final byte[] current;

    WantedClass(String name, WeakReference<?> loader, byte[] base, byte[] current) {
        this.name = name;
        this.loader = loader;
        this.base = base;
        this.current = current;
    }

    static WantedClass of(Object[] row) {
        return new WantedClass((String) row[0], (WeakReference<?>) row[1], (byte[]) row[2], (byte[]) row[3]);
    }

    Object[] row() {
        return new Object[] {name, loader, base, current};
    }

    /** Whether its loader was unloaded, so that it never comes. */
    boolean isGone() {
        return loader != null && loader.get() == null;
    }

    boolean isFor(String name, ClassLoader loader) {
        return this.name.equals(name) && (this.loader == null ? loader == null : this.loader.get() == loader && loader != null);
    }
}
