/* Loaded by two class loaders. */
public final class Twice implements java.util.function.Supplier<String> {
    @Override
    public String get() {
        return "OLD";
    }
}
