// A test agent that fills the heap and keeps it: whoever lets go of the system property frees it again.
package agents;

import java.util.ArrayList;
import java.util.List;

public final class Hog {
    private Hog() {
    }

    public static void agentmain(String options) {
        List<byte[]> held = new ArrayList<byte[]>(100000);
        System.getProperties().put("agents.held", held);
        for (int size = 1 << 20;;) {
            try {
                held.add(new byte[size]);
            } catch (OutOfMemoryError e) {
                if (size < 256) {
                    throw e;
                }
                size /= 2;
            }
        }
    }
}
