// Calls a method at a steady rate: "pace CALLS_A_SECOND SECONDS" answers "paced CALLS" when it is done. Java 8.

import java.io.BufferedReader;
import java.io.InputStreamReader;

public final class PacedCalls {
    private static int state = 1;

    public static void main(String[] args) throws Exception {
        warmUp();
        System.out.println("ready");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            System.out.println("paced " + pace(Long.parseLong(words[1]), Long.parseLong(words[2])));
        }
    }

    private static void warmUp() {
        for (int i = 0; i < 100_000; i++) {
            step(i);
        }
    }

    private static long pace(long rate, long seconds) {
        long start = System.nanoTime();
        long wanted = rate * seconds;
        long done = 0;
        while (done < wanted) {
            // As many as are due by now: a thread that was held up makes up for it.
            long due = Math.min(wanted, (System.nanoTime() - start) / 1000 * rate / 1_000_000);
            for (; done < due; done++) {
                step((int) done);
            }
        }
        return done;
    }

    static int step(int n) {
        return state = state * 31 + n;
    }
}
