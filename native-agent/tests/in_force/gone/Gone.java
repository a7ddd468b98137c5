// It is there when Broken is compiled, and not when that runs.

public class Gone {
    public static int count() {
        return 1;
    }
}
