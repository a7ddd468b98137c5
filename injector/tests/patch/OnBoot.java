/* Loaded by the boot loader. */
public final class OnBoot {
    private OnBoot() {}

    public static String says() {
        return "OLD";
    }
}
