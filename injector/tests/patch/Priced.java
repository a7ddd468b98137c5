/* A service in a record: `say` is answered with what it says, and with what the JVM makes for a record. */
import java.io.BufferedReader;
import java.io.InputStreamReader;

public record Priced(String name, int cents) {
    String says() {
        return cents() > 0 ? "OLD" : name;
    }

    public static void main(String[] args) throws Exception {
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Priced lamp = new Priced("lamp", 1299);
            boolean equal = lamp.equals(new Priced("lamp", 1299));
            System.out.println("says record=" + lamp.says() + " " + lamp + " " + equal);
        }
    }
}
