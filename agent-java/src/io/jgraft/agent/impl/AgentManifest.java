// The main section of an agent jar's manifest, read as libjli's parser reads it, because that one decides in a plain
// attach: java.util.jar.Manifest differs (last duplicate wins, versions differ on a missing last newline) and logs.
package io.jgraft.agent.impl;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

final class AgentManifest {
    private static final String ENTRY = "META-INF/MANIFEST.MF";
    /** Signed jars list every class, but in later sections: the main one is short. */
    private static final int LIMIT = 1 << 20;
    private static final int END_SIZE = 22;

    final String agentClass;
    final String bootClassPath;
    final boolean canRedefineClasses;
    final boolean canRetransformClasses;
    final boolean canSetNativeMethodPrefix;

    private AgentManifest(Map<String, String> attributes) {
        agentClass = attributes.get("Agent-Class");
        bootClassPath = attributes.get("Boot-Class-Path");
        canRedefineClasses = "true".equalsIgnoreCase(attributes.get("Can-Redefine-Classes"));
        canRetransformClasses = "true".equalsIgnoreCase(attributes.get("Can-Retransform-Classes"));
        canSetNativeMethodPrefix = "true".equalsIgnoreCase(attributes.get("Can-Set-Native-Method-Prefix"));
    }

    static AgentManifest read(File jar) throws LoadFailure {
        Map<String, String> attributes;
        try {
            attributes = mainSection(entry(jar));
        } catch (IOException e) {
            throw new LoadFailure(Stage.MANIFEST, "no manifest to be read from " + jar + ": "
                    + StackText.headline(e), e);
        }
        if (!attributes.containsKey("Agent-Class")) {
            throw new LoadFailure(Stage.MANIFEST, "no Agent-Class in the manifest of " + jar
                    + (attributes.containsKey("Premain-Class")
                            ? ", only Premain-Class: load it at the next start with -javaagent:" + jar : ""), null);
        }
        return new AgentManifest(attributes);
    }

    private static byte[] entry(File jar) throws IOException {
        checkEnd(jar);
        try (ZipFile zip = new ZipFile(jar)) {
            ZipEntry entry = zip.getEntry(ENTRY);
            if (entry == null) {
                throw new IOException("no entry " + ENTRY);
            }
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] chunk = new byte[8192];
            InputStream in = zip.getInputStream(entry);
            for (int n; out.size() < LIMIT && (n = in.read(chunk)) >= 0;) {
                out.write(chunk, 0, n);
            }
            return out.toByteArray();
        }
    }

    /** ZipFile puts up with bytes after the end record and its comment, libjli does not. */
    private static void checkEnd(File jar) throws IOException {
        byte[] tail;
        try (RandomAccessFile file = new RandomAccessFile(jar, "r")) {
            tail = new byte[(int) Math.min(file.length(), END_SIZE + 0xFFFF)];
            file.seek(file.length() - tail.length);
            file.readFully(tail);
        }
        for (int at = tail.length - END_SIZE; at >= 0; at--) {
            if (tail[at] == 'P' && tail[at + 1] == 'K' && tail[at + 2] == 5 && tail[at + 3] == 6
                    && at + END_SIZE + (tail[at + 20] & 255 | (tail[at + 21] & 255) << 8) == tail.length) {
                return;
            }
        }
        throw new IOException("it does not end with the end record of a zip file");
    }

    /** Attributes by name in any case; of several with a value the first; values without the blanks around them. */
    static Map<String, String> mainSection(byte[] manifest) throws IOException {
        Map<String, String> attributes = new TreeMap<String, String>(String.CASE_INSENSITIVE_ORDER);
        // One char a byte, so that a UTF-8 sequence cut by a line end can be put together again.
        String text = new String(manifest, StandardCharsets.ISO_8859_1);
        int end = text.indexOf('\0') < 0 ? text.length() : text.indexOf('\0');
        int at = 0;
        while (at < end && !isLineEnd(text.charAt(at))) {
            int lineEnd = lineEnd(text, at, end);
            StringBuilder header = new StringBuilder(text.substring(at, lineEnd));
            at = skipLineEnd(text, lineEnd, end);
            while (at < end && text.charAt(at) == ' ') {
                lineEnd = lineEnd(text, at, end);
                if (lineEnd == end) {
                    throw new IOException("the manifest's last line is a continuation and has no newline");
                }
                header.append(text, at + 1, lineEnd);
                at = skipLineEnd(text, lineEnd, end);
            }
            int colon = header.indexOf(":");
            if (colon < 0 || header.length() == colon + 1 || header.charAt(colon + 1) != ' ') {
                throw new IOException("a manifest line is not 'Name: value' but '" + header + "'");
            }
            String value = trim(header.substring(colon + 2));
            String name = header.substring(0, colon);
            if (!value.isEmpty() && !attributes.containsKey(name)) {
                attributes.put(name, new String(value.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
            }
        }
        if (at >= LIMIT) {
            throw new IOException("the manifest's main section is longer than " + LIMIT + " bytes");
        }
        if (attributes.isEmpty()) {
            throw new IOException("the manifest's main section is empty (it ends at the first blank line)");
        }
        return attributes;
    }

    private static boolean isLineEnd(char c) {
        return c == '\n' || c == '\r';
    }

    private static int lineEnd(String text, int from, int end) {
        int at = from;
        while (at < end && !isLineEnd(text.charAt(at))) {
            at++;
        }
        return at;
    }

    private static int skipLineEnd(String text, int at, int end) {
        if (at >= end) {
            return end;
        }
        return text.startsWith("\r\n", at) ? at + 2 : at + 1;
    }

    private static String trim(String value) {
        int from = 0;
        int to = value.length();
        while (from < to && value.charAt(from) == ' ') {
            from++;
        }
        while (to > from && value.charAt(to - 1) == ' ') {
            to--;
        }
        return value.substring(from, to);
    }
}
