// Makes the jars of the tests: agent jars with a given manifest, and variants of the agent jar under test.

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

final class Jars {
    final Path work;
    final Path agentJar;
    /** The class path of these tests. */
    final Path tests;
    private final Path classes;
    private int made;

    Jars(Path work, Path agentJar, Path classes) {
        this.work = work;
        this.tests = work.resolve("tests.jar");
        this.agentJar = agentJar;
        this.classes = classes;
    }

    /** A new path in the work directory. */
    Path fresh(String name) throws IOException {
        return Files.createDirectory(work.resolve("d" + made++)).resolve(name);
    }

    /** A jar whose manifest has {@code attributes} (lines) and which holds the named test agents. */
    Path of(String attributes, String... agents) throws IOException {
        Map<String, byte[]> entries = new TreeMap<String, byte[]>();
        for (String agent : agents) {
            entries.put("agents/" + agent + ".class", agent(agent));
        }
        Path jar = fresh("agent.jar");
        write(jar, attributes, entries);
        return jar;
    }

    /** The class file of a test agent. */
    byte[] agent(String name) throws IOException {
        return file("agents/" + name + ".class");
    }

    /** A file of the folder that the tests were compiled into. */
    byte[] file(String name) throws IOException {
        return Files.readAllBytes(classes.resolve(name));
    }

    /** The agent jar with one text of its implementation's Main replaced by another of the same length. */
    Path variant(String text, String other) throws IOException {
        Map<String, byte[]> entries = new TreeMap<String, byte[]>();
        try (ZipFile zip = new ZipFile(agentJar.toFile())) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                if (entry.getName().endsWith(".class")) {
                    byte[] bytes = new byte[(int) entry.getSize()];
                    new java.io.DataInputStream(zip.getInputStream(entry)).readFully(bytes);
                    if (entry.getName().endsWith("impl/Main.class")) {
                        String chars = new String(bytes, StandardCharsets.ISO_8859_1);
                        bytes = chars.replace(text, other).getBytes(StandardCharsets.ISO_8859_1);
                    }
                    entries.put(entry.getName(), bytes);
                }
            }
        }
        Path jar = fresh("jgraft-agent.jar");
        write(jar, "Agent-Class: io.jgraft.agent.Stub\n", entries);
        return jar;
    }

    static void write(Path jar, String attributes, Map<String, byte[]> entries) throws IOException {
        try (OutputStream file = Files.newOutputStream(jar); ZipOutputStream zip = new ZipOutputStream(file)) {
            if (attributes != null) {
                zip.putNextEntry(new ZipEntry("META-INF/MANIFEST.MF"));
                zip.write(("Manifest-Version: 1.0\n" + attributes + "\n").getBytes(StandardCharsets.UTF_8));
            }
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
            }
        }
    }
}
