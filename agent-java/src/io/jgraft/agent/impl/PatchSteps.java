// The thread of a session: takes the injector's steps one after the other until it says end, or is gone, or silent. What
// was carried out and not committed by then is rolled back, and the file of the lease removed: whoever sees that it is gone
// knows that nothing is pending any more.
package io.jgraft.agent.impl;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;

final class PatchSteps implements Runnable {
    /** How long nothing is looked at. A step is a matter of milliseconds, and a session has few. */
    private static final long PAUSE_MS = 2;
    private static final long LEASE_MS = 50;

    private final SessionFiles files;
    private final PatchStep step;
    private final Lease lease;
    private final long silenceMs;

    PatchSteps(SessionFiles files, PatchStep step, Lease lease, long silenceMs) {
        this.files = files;
        this.step = step;
        this.lease = lease;
        this.silenceMs = silenceMs;
    }

    @Override
    public void run() {
        try {
            serve();
        } catch (Throwable nobodyReads) {
            // The session's directory is gone, and with it whoever could be told; or it is full, and no answer fits.
        } finally {
            lease.close();
            step.abandon();
            files.remove(Lease.FILE);
        }
    }

    private void serve() throws IOException, InterruptedException {
        for (int n = 2;; n++) {
            Properties request = await("request-" + n);
            if (request == null) {
                return;
            }
            FileChannel room = files.room("reply-" + n);
            Map<String, String> reply;
            try {
                reply = step.run(request);
            } catch (Throwable t) {
                reply = PatchFailure.reply(t);
            }
            files.reply("reply-" + n, room, reply);
            if ("end".equals(request.getProperty("step"))) {
                return;
            }
        }
    }

    /** The next request, or null where none is to be expected any more. */
    private Properties await(String name) throws IOException, InterruptedException {
        long since = System.nanoTime();
        long looked = since;
        while (true) {
            Properties request = files.request(name);
            if (request != null) {
                return request;
            }
            long now = System.nanoTime();
            if (now - since > TimeUnit.MILLISECONDS.toNanos(silenceMs)) {
                return null;
            }
            if (now - looked > TimeUnit.MILLISECONDS.toNanos(LEASE_MS)) {
                looked = now;
                if (!lease.isHeld()) {
                    return null;
                }
            }
            Thread.sleep(PAUSE_MS);
        }
    }
}
