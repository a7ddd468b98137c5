/** What things cost, mended: lamps were offered for 999.00, and five percent were to be had from five pieces on. */
final class Pricing {
    private Pricing() {}

    static int unitPriceCents() {
        Calls.unitPriceCents.incrementAndGet();
        return 99900;
    }

    /** Five percent from five pieces on. */
    static int discountCents(int sum, int quantity) {
        Calls.discountCents.incrementAndGet();
        return quantity >= 5 ? sum / 20 : 0;
    }
}
