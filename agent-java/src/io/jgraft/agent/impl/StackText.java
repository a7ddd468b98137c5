// A throwable as text: like printStackTrace, but without our frames below the agent's, bounded, and safe against
// throwables whose own methods throw.
package io.jgraft.agent.impl;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

final class StackText {
    private static final int LIMIT = 60 << 10;
    /** Of a longer trace (a StackOverflowError's) the first and the last frames tell the story. */
    private static final int FIRST_FRAMES = 150;
    private static final int LAST_FRAMES = 50;
    private static final int MESSAGE_LIMIT = 8 << 10;

    private StackText() {
    }

    /** Class and message. */
    static String headline(Throwable t) {
        String text;
        try {
            text = String.valueOf(t.toString());
        } catch (Throwable broken) {
            text = t.getClass().getName();
        }
        return text.length() > MESSAGE_LIMIT ? text.substring(0, MESSAGE_LIMIT) + "..." : text;
    }

    /** The whole trace: causes and suppressed ones too, each once. */
    static String of(Throwable t) {
        StringBuilder out = new StringBuilder();
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<Throwable, Boolean>());
        append(t, "", "", new StackTraceElement[0], out, seen);
        if (out.length() > LIMIT) {
            out.setLength(LIMIT);
            out.append("\n...\n");
        }
        return out.toString();
    }

    private static void append(Throwable t, String indent, String caption, StackTraceElement[] enclosing,
            StringBuilder out, Set<Throwable> seen) {
        if (out.length() > LIMIT) {
            return;
        }
        out.append(indent).append(caption).append(headline(t)).append('\n');
        if (!seen.add(t)) {
            out.append(indent).append("\t(shown above)\n");
            return;
        }
        StackTraceElement[] frames = frames(t);
        int end = endOfAgentsFrames(frames);
        int shared = 0;
        int enclosingEnd = endOfAgentsFrames(enclosing);
        while (shared < end && shared < enclosingEnd
                && frames[end - 1 - shared].equals(enclosing[enclosingEnd - 1 - shared])) {
            shared++;
        }
        int own = end - shared;
        for (int i = 0; i < own; i++) {
            if (own > FIRST_FRAMES + LAST_FRAMES && i == FIRST_FRAMES) {
                int left = own - FIRST_FRAMES - LAST_FRAMES;
                out.append(indent).append("\t... ").append(left).append(" frames left out\n");
                i += left;
            }
            out.append(indent).append("\tat ").append(frames[i]).append('\n');
        }
        if (shared > 0) {
            out.append(indent).append("\t... ").append(shared).append(" more\n");
        }
        for (Throwable suppressed : t.getSuppressed()) {
            append(suppressed, indent + "\t", "Suppressed: ", frames, out, seen);
        }
        Throwable cause = cause(t);
        if (cause != null) {
            append(cause, indent, "Caused by: ", frames, out, seen);
        }
    }

    /** Where the frames end that are the agent's: above them is only the reflection by which we called it. */
    private static int endOfAgentsFrames(StackTraceElement[] frames) {
        int end = 0;
        while (end < frames.length && !frames[end].getClassName().equals(AgentMain.class.getName())) {
            end++;
        }
        if (end == frames.length) {
            return end;
        }
        int call = end;
        while (end > 0 && isReflection(frames[end - 1].getClassName())) {
            end--;
        }
        return end == 0 ? call : end;
    }

    private static boolean isReflection(String className) {
        return className.startsWith("java.lang.reflect.") || className.startsWith("jdk.internal.reflect.")
                || className.startsWith("sun.reflect.") || className.startsWith("java.lang.invoke.");
    }

    private static StackTraceElement[] frames(Throwable t) {
        try {
            return t.getStackTrace().clone();
        } catch (Throwable broken) {
            return new StackTraceElement[0];
        }
    }

    private static Throwable cause(Throwable t) {
        try {
            return t.getCause();
        } catch (Throwable broken) {
            return null;
        }
    }
}
