// Counts what was checked and remembers what failed. A check never throws, so one failure does not hide the next.

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The assertions of these tests. */
public final class Check implements io.jgraft.agent.impl.ManifestTests.Report {
    private final List<String> failures = new ArrayList<String>();
    private final List<String> skips = new ArrayList<String>();
    private int passed;

    public void that(String what, boolean holds, Object evidence) {
        if (holds) {
            passed++;
        } else {
            failures.add(what + ": " + evidence);
        }
    }

    @Override
    public void equal(String what, Object actual, Object expected) {
        that(what, Objects.equals(actual, expected), "expected " + expected + ", got " + actual);
    }

    public void contains(String what, String text, String part) {
        that(what, text != null && text.contains(part), "'" + part + "' is not in: " + text);
    }

    public void skip(String what, String reason) {
        skips.add(what + " (" + reason + ")");
    }

    boolean report(PrintStream out) {
        for (String failure : failures) {
            out.println("FAILED " + failure);
        }
        for (String skip : skips) {
            out.println("skipped " + skip);
        }
        out.println(passed + " passed, " + failures.size() + " failed, " + skips.size() + " skipped");
        return failures.isEmpty();
    }
}
