// How long a session of steps may last: as long as the injector holds its lock on a file of the session. The kernel lets
// go of it when the injector dies, however that happens. Not here: the injector that is stopped and keeps its lock, for
// which there is a limit of silence.
package io.jgraft.agent.impl;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.LinkOption;
import java.nio.file.StandardOpenOption;

final class Lease implements Closeable {
    static final String FILE = "lease";

    private final FileChannel file;

    private Lease(FileChannel file) {
        this.file = file;
    }

    static Lease open(SessionFiles files) throws PatchFailure {
        Lease lease;
        try {
            lease = new Lease(FileChannel.open(files.path(FILE), StandardOpenOption.READ, StandardOpenOption.WRITE,
                    LinkOption.NOFOLLOW_LINKS));
        } catch (IOException e) {
            throw new PatchFailure("lease", "the session's file " + FILE + " cannot be opened: "
                    + StackText.headline(e), e);
        }
        if (!lease.isHeld()) {
            lease.close();
            throw new PatchFailure("lease", "nobody holds a lock on the session's file " + FILE);
        }
        return lease;
    }

    /** Whether the injector is there. A lock of an open file description and one of a process conflict. */
    boolean isHeld() {
        try {
            FileLock lock = file.tryLock();
            if (lock == null) {
                return true;
            }
            lock.release();
            return false;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException alreadyGone) {
            // There is nobody to tell, and nothing was written to it.
        }
    }
}
