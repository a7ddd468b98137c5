// Another process that holds the lock of a session, as the injector does: locks of one JVM do not tell its own threads
// apart. Locks each file that it is told on a line, until it is killed or its input ends.

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/** The program, and the test's handle on it. */
final class LockHolder {
    private final Process process;
    private final Writer to;
    private final BufferedReader from;

    LockHolder(Path classPath) throws IOException {
        process = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-Xmx16m", "-XX:TieredStopAtLevel=1",
                "-cp", classPath.toString(), "LockHolder").redirectError(ProcessBuilder.Redirect.INHERIT).start();
        to = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
        from = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Returns when the lock is held. */
    void lock(Path file) throws IOException {
        tell("lock " + file);
    }

    void unlock(Path file) throws IOException {
        tell("unlock " + file);
    }

    private void tell(String line) throws IOException {
        to.write(line + "\n");
        to.flush();
        String answer = from.readLine();
        if (!"done".equals(answer)) {
            throw new IOException("the lock holder says " + answer);
        }
    }

    /** SIGKILL, and gone when this returns. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    public static void main(String[] args) throws IOException {
        Map<String, FileChannel> held = new HashMap<String, FileChannel>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String path = line.substring(line.indexOf(' ') + 1);
            if (line.startsWith("lock ")) {
                FileChannel file = FileChannel.open(Paths.get(path), StandardOpenOption.WRITE);
                System.out.println(file.tryLock() == null ? "taken" : "done");
                held.put(path, file);
            } else {
                held.remove(path).close();
                System.out.println("done");
            }
        }
    }
}
