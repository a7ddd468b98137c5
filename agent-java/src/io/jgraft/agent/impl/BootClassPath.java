// Boot-Class-Path of an agent's manifest: which files it names, and appending them to the boot loader's search.
// As in a plain attach an entry that cannot be appended is skipped with a warning, never a failure; but there the
// warning goes to the target's stderr, here it is returned.
package io.jgraft.agent.impl;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.StringTokenizer;
import java.util.jar.JarFile;

final class BootClassPath {
    private BootClassPath() {
    }

    /** Returns a warning for each entry that was not appended. */
    static List<String> append(String attribute, File agentJar, Instrumentation inst) {
        List<String> warnings = new ArrayList<String>();
        StringTokenizer entries = new StringTokenizer(attribute == null ? "" : attribute, " ");
        while (entries.hasMoreTokens()) {
            String entry = entries.nextToken();
            try {
                try (JarFile jar = new JarFile(resolve(entry, agentJar))) {
                    inst.appendToBootstrapClassLoaderSearch(jar);
                }
            } catch (Throwable t) {
                warnings.add("Boot-Class-Path entry " + entry + " was not added to the boot class path: "
                        + StackText.headline(t));
            }
        }
        return warnings;
    }

    /** The path of a URI: without its query, decoded, relative to the directory the agent jar really is in. */
    static File resolve(String entry, File agentJar) throws IOException {
        int query = entry.indexOf('?');
        String path = decode(query < 0 ? entry : entry.substring(0, query));
        File file = new File(path);
        return file.isAbsolute() ? file : new File(agentJar.getCanonicalFile().getParentFile(), path);
    }

    private static String decode(String path) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            if (c == '%' && i + 2 < path.length() && hex(path, i + 1) >= 0 && hex(path, i + 2) >= 0) {
                bytes.write(hex(path, i + 1) << 4 | hex(path, i + 2));
                i += 2;
            } else if (isPathChar(c)) {
                bytes.write(c);
            } else {
                throw new IOException("'" + c + "' is not allowed in the path of a URI");
            }
        }
        return new String(bytes.toByteArray(), StandardCharsets.UTF_8);
    }

    private static int hex(String text, int at) {
        char c = text.charAt(at);
        return c < 128 ? Character.digit(c, 16) : -1;
    }

    // RFC 2396: unreserved, the reserved ones of a path, and the slash.
    private static boolean isPathChar(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
                || "-_.!~*'():@&=+$,;/".indexOf(c) >= 0;
    }
}
