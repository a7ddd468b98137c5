// The program the three agents are in: it loads one class at its start, leaves three more for later, and waits.
package example.chain.target;

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.util.concurrent.CountDownLatch;

public final class Main {
    private Main() {
    }

    /** Ends with the line "quit" on stdin; if stdin ends first, by a signal only. */
    public static void main(String[] args) throws Exception {
        System.out.println("First, loaded by the program: " + First.trail());
        System.out.println("ready pid " + new File("/proc/self").getCanonicalFile().getName());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); !"quit".equals(line); line = in.readLine()) {
            if (line == null) {
                new CountDownLatch(1).await();
            }
        }
    }
}
