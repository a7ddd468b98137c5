// A session directory as the injector makes it, and the stub called with it.

import io.jgraft.agent.Stub;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.Properties;

final class Session {
    final Path directory;
    final Path request;

    /** With the right name, modes and digests. */
    Session(Jars jars, Path agentJar, String... keysAndValues) throws Exception {
        Properties properties = new Properties();
        properties.setProperty("agent.jar", agentJar.toString());
        properties.setProperty("agent.sha256", sha256(Files.readAllBytes(agentJar)));
        for (int i = 0; i < keysAndValues.length; i += 2) {
            properties.setProperty(keysAndValues[i], keysAndValues[i + 1]);
        }
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        properties.store(text, null);
        directory = jars.fresh("s-test-" + sha256(text.toByteArray()).substring(0, 32));
        Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(
                PosixFilePermissions.fromString("rwx------")));
        request = directory.resolve("request");
        Files.write(request, text.toByteArray());
        Files.setPosixFilePermissions(request, PosixFilePermissions.fromString("rw-------"));
    }

    /** One that is there already. */
    Session(Path directory) {
        this.directory = directory;
        this.request = directory.resolve("request");
    }

    /** The reply, or null if there is none. */
    Properties run(Instrumentation inst) throws IOException {
        return run(directory, inst);
    }

    static Properties run(Path directory, Instrumentation inst) throws IOException {
        Stub.agentmain(directory.toString(), inst);
        return reply(directory);
    }

    static Properties reply(Path directory) throws IOException {
        Path reply = directory.resolve("reply");
        if (!Files.exists(reply)) {
            return null;
        }
        Properties properties = new Properties();
        try (InputStream in = Files.newInputStream(reply)) {
            properties.load(in);
        }
        return properties;
    }

    static String sha256(byte[] bytes) throws Exception {
        StringBuilder hex = new StringBuilder();
        for (byte b : MessageDigest.getInstance("SHA-256").digest(bytes)) {
            hex.append(String.format("%02x", b));
        }
        return hex.toString();
    }
}
