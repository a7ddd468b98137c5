// A class for transformers to leave their trail in.
package example.chain.target;

public final class Third {
    private Third() {
    }

    public static String trail() {
        return "trail:";
    }
}
