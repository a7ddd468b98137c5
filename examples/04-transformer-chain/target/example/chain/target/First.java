// A class for transformers to leave their trail in.
package example.chain.target;

public final class First {
    private First() {
    }

    public static String trail() {
        return "trail:";
    }
}
