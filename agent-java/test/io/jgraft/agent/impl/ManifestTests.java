// The manifest parser against what libjli's was seen to do, in a plain attach, on 8, 11, 17, 21, 25 and 26 alike.
package io.jgraft.agent.impl;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Each line: a main section, and its Agent-Class, or null where plain attach answered 100. */
public final class ManifestTests {
    private static final String[][] CASES = {
        {"M: 1\nAgent-Class: a.B\n\n", "a.B"},
        {"M: 1\nagent-CLASS: a.B\n\n", "a.B"},
        {"M: 1\nAgent-Class: a.B", "a.B"},
        {"M: 1\nAgent-Class: a.\n B\n", "a.B"},
        {"M: 1\nAgent-Class: a\n .\n B\n\n", "a.B"},
        {"M: 1\nAgent-Class: a.\n B", null},
        {"M: 1\r\nAgent-Class: a.\r\n B\r\n\r\n", "a.B"},
        {"M: 1\rAgent-Class: a.B\r\r", "a.B"},
        {"M: 1\nAgent-Class:   a.B  \n\n", "a.B"},
        {"M: 1\nAgent-Class: \ta.B\n\n", "\ta.B"},
        {"M: 1\nAgent-Class:a.B\n\n", null},
        {"M: 1\nAgent-Class:", null},
        {"M: 1\nAgent-Class: a.B\nGarbage\n\n", null},
        {"M: 1\nAgent-Class: a.B\n\nGarbage\n\n", "a.B"},
        {"M: 1\nAgent-Class: a.B\nBad N\u00e4me: x\n\n", "a.B"},
        {"M: 1\n\nName: x\nAgent-Class: a.B\n\n", null},
        {"\nM: 1\nAgent-Class: a.B\n\n", null},
        {" x\nM: 1\nAgent-Class: a.B\n\n", null},
        {"\ufeffM: 1\nAgent-Class: a.B\n\n", "a.B"},
        {"M: 1\nAgent-Class: a.B\0x\n\n", "a.B"},
        {"M: 1\nAgent-Class: a.B\nAgent-Class: c.D\n\n", "a.B"},
        {"M: 1\nAgent-Class: \nAgent-Class: c.D\n\n", "c.D"},
        {"M: 1\nAgent-Class: \n\n", null},
        {"M: 1\nAgent-Class: \u00e4.\u20ac\n\n", "\u00e4.\u20ac"},
        {"", null},
    };

    private ManifestTests() {
    }

    public static void run(Report report) {
        for (String[] line : CASES) {
            report.equal("manifest " + escape(line[0]), agentClass(line[0].getBytes(StandardCharsets.UTF_8)), line[1]);
        }
        longLines(report);
        bootClassPath(report);
    }

    /** What the test program gives us to report to. */
    public interface Report {
        void equal(String what, Object actual, Object expected);
    }

    // 72 bytes a line, a UTF-8 sequence cut in two by the line's end, as the jar tool does it.
    private static void longLines(Report report) {
        StringBuilder name = new StringBuilder("p");
        for (int i = 0; i < 60; i++) {
            name.append(".\u00e4\u20ac").append(i);
        }
        byte[] header = ("Agent-Class: " + name).getBytes(StandardCharsets.UTF_8);
        StringBuilder text = new StringBuilder("Manifest-Version: 1.0\r\n");
        for (int from = 0, room = 72; from < header.length; from += room, room = 71) {
            room = Math.min(room, header.length - from);
            text.append(from == 0 ? "" : " ")
                    .append(new String(header, from, room, StandardCharsets.ISO_8859_1)).append("\r\n");
        }
        text.append("\r\n");
        report.equal("manifest lines of 72 bytes", agentClass(text.toString().getBytes(StandardCharsets.ISO_8859_1)),
                name.toString());
    }

    private static void bootClassPath(Report report) {
        String[][] entries = {
            {"lib/a.jar", "/dir/lib/a.jar"}, {"/lib/a.jar", "/lib/a.jar"}, {"a%20b%2fc.jar?x?y", "/dir/a b/c.jar"},
            {"a//b/", "/dir/a/b"}, {"a%zz.jar", null}, {"a%2", null}, {"a|b", null}, {"\u00e4.jar", null},
        };
        for (String[] entry : entries) {
            Object file;
            try {
                file = BootClassPath.resolve(entry[0], new File("/dir/agent.jar")).getPath();
            } catch (IOException refused) {
                file = null;
            }
            report.equal("Boot-Class-Path " + entry[0], file, entry[1]);
        }
    }

    private static String agentClass(byte[] manifest) {
        try {
            return AgentManifest.mainSection(manifest).get("Agent-Class");
        } catch (IOException refused) {
            return null;
        }
    }

    private static String escape(String text) {
        return text.replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\\0");
    }
}
