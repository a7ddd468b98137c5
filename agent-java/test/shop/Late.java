// Not loaded when it is patched.
package shop;

import java.util.concurrent.Callable;

public final class Late implements Callable<String> {
    private static final String FIRST = "late-1".trim();

    @Override
    public String call() {
        return FIRST + " before after";
    }
}
