// The journal of what is patched, for whoever looks from outside without asking the JVM: a file without a name that is
// kept open, so that its text is behind /proc/PID/fd for as long as the JVM lives. Its text is the injector's.
package io.jgraft.agent.impl;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;

final class Journal {
    private static final String NAME = "jgraft-journal";
    private static final String KEY = "journal";

    private Journal() {
    }

    /** A new journal, whole and not yet published. */
    static FileChannel write(SessionFiles files, byte[] text) throws PatchFailure {
        try {
            FileChannel file = files.create(NAME, text);
            Files.delete(files.path(NAME));
            return file;
        } catch (IOException e) {
            throw new PatchFailure("journal", "the journal cannot be written: " + StackText.headline(e), e);
        }
    }

    /** Takes the place of the one before, or, where it is null, leaves none. */
    static void publish(FileChannel file, PatchState state) {
        Object before = file == null ? state.map.remove(KEY) : state.map.put(KEY, file);
        if (before != null) {
            try {
                ((Closeable) before).close();
            } catch (IOException gone) {
                // It was read by others only, and holds nothing that is not in the state.
            }
        }
    }
}
