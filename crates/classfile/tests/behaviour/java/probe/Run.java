// Runs the golden programs, for tests/behaviour.
package probe;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Paths;

/** Runs golden programs one after the other: what they print goes to a file, what probes saw to another. */
public final class Run {
    public static void main(String[] arguments) throws Exception {
        Probe.on = !Boolean.getBoolean("probe.off");
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, "UTF-8"));
        for (int i = 2; i < arguments.length; i++) {
            String name = arguments[i];
            begin(name);
            System.out.println("program " + name);
            try {
                Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) new String[0]);
            } catch (Throwable thrown) {
                Throwable cause = thrown.getCause() == null ? thrown : thrown.getCause();
                System.out.println("uncaught " + cause);
            }
        }
        begin("end");
        Files.write(Paths.get(arguments[0]), printed.toByteArray());
        Files.write(Paths.get(arguments[1]), Probe.log().getBytes("UTF-8"));
    }

    /** The oracle looks for calls of this. */
    static void begin(String name) {
        Probe.program(name);
    }

    private Run() {}
}
