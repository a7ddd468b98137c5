// A session of patch steps as the injector leads it: the request, the lock, a step and its answer.

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

final class PatchDialog {
    private static final long LONGEST_NS = 30_000_000_000L;

    final Properties told;
    final Path directory;
    private int step = 1;
    private int files;

    /** Asks for classes, and begins with the steps. */
    PatchDialog(Jars jars, Path agentJar, Instrumentation inst, LockHolder holder, long silenceMs, String... classes)
            throws Exception {
        String[] request = new String[2 * classes.length + 6];
        request[0] = "verb";
        request[1] = "patch";
        request[2] = "steps";
        request[3] = "true";
        request[4] = "ttl.ms";
        request[5] = String.valueOf(silenceMs);
        for (int i = 0; i < classes.length; i++) {
            request[2 * i + 6] = "class." + (i + 1);
            request[2 * i + 7] = classes[i];
        }
        long start = System.nanoTime();
        while (true) {
            Session session = new Session(jars, agentJar, request);
            if (holder != null) {
                Files.createFile(session.directory.resolve("lease"));
                holder.lock(session.directory.resolve("lease"));
            }
            Properties reply = session.run(inst);
            if (!"busy".equals(reply.getProperty("stage"))) {
                directory = session.directory;
                told = reply;
                return;
            }
            // The thread of the one before may not have come to its end yet.
            if (System.nanoTime() - start > LONGEST_NS) {
                throw new IOException(reply.getProperty("message"));
            }
            LockSupport.parkNanos(1000000);
        }
    }

    /** The bytes of a file that the reply names by this key. */
    byte[] file(String key) throws IOException {
        return file(told, key);
    }

    byte[] file(Properties reply, String key) throws IOException {
        return Files.readAllBytes(directory.resolve(reply.getProperty(key)));
    }

    /** A file of the session, for a step to name. */
    String put(byte[] bytes) throws IOException {
        String name = "put-" + ++files;
        Files.write(directory.resolve(name), bytes);
        return name;
    }

    /** One step, and its answer. */
    Properties step(String... keysAndValues) throws Exception {
        send(keysAndValues);
        return answer();
    }

    void send(String... keysAndValues) throws Exception {
        Properties request = new Properties();
        request.setProperty("step", keysAndValues[0]);
        for (int i = 1; i < keysAndValues.length; i += 2) {
            request.setProperty(keysAndValues[i], keysAndValues[i + 1]);
        }
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        request.store(text, null);
        text.write("end=true\n".getBytes(StandardCharsets.ISO_8859_1));
        Files.write(directory.resolve("request-" + ++step), text.toByteArray());
    }

    private Properties answer() throws Exception {
        final Path reply = directory.resolve("reply-" + step);
        await(new Callable<Boolean>() {
            @Override
            public Boolean call() {
                return Files.exists(reply);
            }
        }, "an answer to step " + step);
        Properties answer = new Properties();
        try (InputStream in = Files.newInputStream(reply)) {
            answer.load(in);
        }
        return answer;
    }

    /** Commits with a journal. */
    Properties commit(String... more) throws Exception {
        String[] step = new String[more.length + 3];
        step[0] = "commit";
        step[1] = "journal.file";
        step[2] = put("generation=x\nend=true\n".getBytes(StandardCharsets.ISO_8859_1));
        System.arraycopy(more, 0, step, 3, more.length);
        return step(step);
    }

    /** Returns when it holds, at the latest after 30 seconds, which is an error. */
    static void await(Callable<Boolean> condition, String what) throws Exception {
        long end = System.nanoTime() + LONGEST_NS;
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new IOException("waited in vain for " + what);
            }
            LockSupport.parkNanos(500_000); // As the injector looks for an answer, and no longer than that.
        }
    }
}
