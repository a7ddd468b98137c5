// The class that golden programs are woven with calls of; tests read what it notes.
package probe;

/** What golden programs are woven with: notes each event as the oracle does, with probe ids for method names. */
public final class Probe {
    public static boolean on = true;

    private static final boolean PRINT = Boolean.getBoolean("probe.print");
    private static final StringBuilder LOG = new StringBuilder();
    private static long ticks;

    /** A clock that goes on by one each time it is read: so a log says when it was read. */
    public static long now() {
        return ++ticks;
    }

    static void program(String name) {
        ticks = 0;
        LOG.append("program ").append(name).append('\n');
    }

    static String log() {
        return LOG.toString();
    }

    public static void enter(int id, long start) {
        note("enter", id, start, 0, "");
    }

    public static void self(int id, Object self) {
        LOG.append("this ").append(show(self)).append('\n');
    }

    public static void exit(int id, long start, long end) {
        note("leave", id, start, end, "void");
    }

    public static void thrown(int id, long start, long end, Throwable thrown) {
        note("throw", id, start, end, thrown.getClass().getName());
    }

    /** What a method has thrown itself is what leaves it, or something that it has caught. */
    public static void own(Throwable thrown, Throwable own) {
        if (thrown == null) {
            throw new AssertionError("nothing is thrown, and own is " + own);
        }
    }

    public static void before(int id, int pc) {
        LOG.append("call ").append(id).append(' ').append(pc).append('\n');
    }

    public static void after(int id, int pc, long start, long end) {
        note("back", id, start, end, pc + "");
    }

    public static void threw(int id, int pc, long start, long end, Throwable thrown) {
        note("fail", id, start, end, pc + " " + thrown.getClass().getName());
    }

    private static void note(String what, int id, long start, long end, String value) {
        LOG.append(what).append(' ').append(id).append(' ').append(start).append(' ').append(end).append(' ');
        LOG.append(value).append('\n');
        if (PRINT) {
            System.out.print(LOG);
            LOG.setLength(0);
        }
    }

    private static String show(Object value) {
        if (value == null) {
            return "null";
        }
        String name = value.getClass().getName();
        int generated = name.indexOf("$$Lambda");
        if (generated >= 0) {
            return name.substring(0, generated);
        }
        if (!(value instanceof String)) {
            return name;
        }
        StringBuilder shown = new StringBuilder(name).append(':');
        String text = (String) value;
        for (int i = 0; i < text.length() && i < 40; i++) {
            char c = text.charAt(i);
            shown.append(c >= 32 && c < 127 ? c : '?');
        }
        return shown.toString();
    }

    private static void result(String value) {
        LOG.append("result ").append(value).append('\n');
    }

    private static void argument(int number, String value) {
        LOG.append("argument ").append(number).append(' ').append(value).append('\n');
    }

    public static void exit(int id, long start, long end, boolean value) {
        note("leave", id, start, end, value + "");
    }

    public static void argument(int id, int number, boolean value) {
        argument(number, value + "");
    }

    public static void exit(int id, long start, long end, byte value) {
        note("leave", id, start, end, value + "");
    }

    public static void argument(int id, int number, byte value) {
        argument(number, value + "");
    }

    public static void exit(int id, long start, long end, char value) {
        note("leave", id, start, end, (int) value + "");
    }

    public static void argument(int id, int number, char value) {
        argument(number, (int) value + "");
    }

    public static void exit(int id, long start, long end, short value) {
        note("leave", id, start, end, value + "");
    }

    public static void argument(int id, int number, short value) {
        argument(number, value + "");
    }

    public static void exit(int id, long start, long end, int value) {
        note("leave", id, start, end, value + "");
    }

    public static void argument(int id, int number, int value) {
        argument(number, value + "");
    }

    public static void exit(int id, long start, long end, long value) {
        note("leave", id, start, end, value + "");
    }

    public static void argument(int id, int number, long value) {
        argument(number, value + "");
    }

    public static void exit(int id, long start, long end, float value) {
        note("leave", id, start, end, "0x" + Integer.toHexString(Float.floatToRawIntBits(value)));
    }

    public static void argument(int id, int number, float value) {
        argument(number, "0x" + Integer.toHexString(Float.floatToRawIntBits(value)));
    }

    public static void exit(int id, long start, long end, double value) {
        note("leave", id, start, end, "0x" + Long.toHexString(Double.doubleToRawLongBits(value)));
    }

    public static void argument(int id, int number, double value) {
        argument(number, "0x" + Long.toHexString(Double.doubleToRawLongBits(value)));
    }

    public static void exit(int id, long start, long end, Object value) {
        note("leave", id, start, end, show(value));
    }

    public static void argument(int id, int number, Object value) {
        argument(number, show(value));
    }

    public static void result(int id) {
        result("void");
    }

    public static void result(int id, boolean value) {
        result(value + "");
    }

    public static void result(int id, byte value) {
        result(value + "");
    }

    public static void result(int id, char value) {
        result((int) value + "");
    }

    public static void result(int id, short value) {
        result(value + "");
    }

    public static void result(int id, int value) {
        result(value + "");
    }

    public static void result(int id, long value) {
        result(value + "");
    }

    public static void result(int id, float value) {
        result("0x" + Integer.toHexString(Float.floatToRawIntBits(value)));
    }

    public static void result(int id, double value) {
        result("0x" + Long.toHexString(Double.doubleToRawLongBits(value)));
    }

    public static void result(int id, Object value) {
        result(show(value));
    }

    private Probe() {}
}
