/* In a jar inside. */
package shop.prices;

public final class Prices {
    private Prices() {}

    public static String of(String article) {
        return Rounding.whole(article.isEmpty() ? "nothing" : "OLD");
    }
}
