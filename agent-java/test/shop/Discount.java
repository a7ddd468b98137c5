// Calls a class that no loader has until a patch defines it.
package shop;

import java.util.concurrent.Callable;

public final class Discount implements Callable<String> {
    @Override
    public String call() {
        return shown("discount-1");
    }

    private static String shown(String text) {
        return text.endsWith("2") ? Coupon.text() : text;
    }
}
