// What woven methods call while they are verified: it counts, and does nothing that a JVM could not do before it has
// booted. In java.lang, so that every class sees it. crates/classfile/examples/weave.rs writes the calls.
package java.lang;

public final class WeaveProbe {
    public static boolean on = true;
    public static long enters;
    public static long exits;
    public static long throwns;
    public static long others;

    private WeaveProbe() {}

    public static long now() { return 0; }
    public static void enter(int id) { enters++; }
    public static void exit(int id, long start) { exits++; }
    public static void exit(int id, long start, long end) { exits++; }
    public static void thrown(int id, long start, Throwable thrown, Throwable own) { throwns++; }
    public static void thrown(int id, long start, long end, Throwable thrown) { throwns++; }
    public static void before(int id, int pc) { others++; }
    public static void after(int id, int pc, long start) { others++; }
    public static void threw(int id, int pc, long start, Throwable thrown) { others++; }
    public static void argument(int id, int n, Object value) { others++; }
    public static void argument(int id, int n, boolean value) { others++; }
    public static void argument(int id, int n, byte value) { others++; }
    public static void argument(int id, int n, char value) { others++; }
    public static void argument(int id, int n, short value) { others++; }
    public static void argument(int id, int n, int value) { others++; }
    public static void argument(int id, int n, long value) { others++; }
    public static void argument(int id, int n, float value) { others++; }
    public static void argument(int id, int n, double value) { others++; }
    public static void result(int id, Object self) { others++; }
    public static void result(int id, Object self, Object value) { others++; }
    public static void result(int id, Object self, boolean value) { others++; }
    public static void result(int id, Object self, byte value) { others++; }
    public static void result(int id, Object self, char value) { others++; }
    public static void result(int id, Object self, short value) { others++; }
    public static void result(int id, Object self, int value) { others++; }
    public static void result(int id, Object self, long value) { others++; }
    public static void result(int id, Object self, float value) { others++; }
    public static void result(int id, Object self, double value) { others++; }
    public static void exception(int id, Object self, Throwable thrown) { others++; }
}
