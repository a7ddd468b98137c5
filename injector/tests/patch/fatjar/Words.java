/* In BOOT-INF/classes; one of the jars has another of the same name, which has no such method and must not be met first. */
package shop.desk;

final class Words {
    private Words() {}

    static String first(String first, String second) {
        return second.isEmpty() ? second : first;
    }
}
