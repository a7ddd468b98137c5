// A class for transformers to leave their trail in.
package example.chain.target;

public final class Second {
    private Second() {
    }

    public static String trail() {
        return "trail:";
    }
}
