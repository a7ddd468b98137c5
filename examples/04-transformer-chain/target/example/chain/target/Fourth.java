// A class for transformers to leave their trail in.
package example.chain.target;

public final class Fourth {
    private Fourth() {
    }

    public static String trail() {
        return "trail:";
    }
}
