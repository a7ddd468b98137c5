// Threads that run methods of Looping, which is redefined meanwhile. Told "begin", it starts a platform thread in a loop there
// and, where there are any, a virtual one; told "change", it redefines the class by the file that it was given; told "end", it
// ends the loops.

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.lang.instrument.ClassDefinition;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

public final class OldFrames {
    private static Instrumentation instrumentation;

    public static void premain(String arguments, Instrumentation given) {
        instrumentation = given;
    }

    public static void main(String[] args) throws Exception {
        System.out.println("ready " + new Looping().say());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        List<Thread> threads = new ArrayList<>();
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            switch (line) {
                case "begin":
                    Gate gate = new Gate();
                    Thread thread = new Thread(() -> new Looping().outer(gate), "order-löop-1");
                    thread.start();
                    threads.add(thread);
                    int inside = 1;
                    try {
                        Runnable loop = () -> new Looping().outer(gate);
                        threads.add((Thread) Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, loop));
                        inside = 2;
                    } catch (ReflectiveOperationException older) {
                        // None before 21.
                    }
                    gate.await(inside);
                    Gate.current = gate;
                    break;
                case "change":
                    byte[] bytes = Files.readAllBytes(new File(args[0], "Looping.class").toPath());
                    instrumentation.redefineClasses(new ClassDefinition(Looping.class, bytes));
                    break;
                case "end":
                    Gate.current.open();
                    for (Thread started : threads) {
                        started.join();
                    }
                    threads.clear();
                    break;
                default:
            }
            System.out.println("done " + new Looping().say());
        }
    }
}

/** Where the loops wait. */
final class Gate {
    static Gate current;
    private int inside;
    private boolean open;

    /** One turn; whether there is another. */
    synchronized boolean turn() {
        inside++;
        notifyAll();
        try {
            // Ends by itself, so that the loop turns.
            wait(50);
        } catch (InterruptedException interrupted) {
            open = true;
        }
        inside--;
        return !open;
    }

    synchronized void await(int threads) throws InterruptedException {
        while (inside < threads) {
            wait();
        }
    }

    synchronized void open() {
        open = true;
        notifyAll();
    }
}
