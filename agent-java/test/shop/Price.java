// What the tests of patches change: by other constants in its class file.
package shop;

import java.util.concurrent.Callable;

public final class Price implements Callable<String> {
    @Override
    public String call() {
        return prefix() + " before after";
    }

    private static String prefix() {
        return "price-1";
    }
}
