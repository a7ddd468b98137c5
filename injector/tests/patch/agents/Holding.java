/*
 * An agent that holds a redefinition up: `CLASS FILE`. Whoever changes the class waits until the file is there.
 */
import java.io.File;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;

public final class Holding {
    private Holding() {}

    public static void agentmain(String options, Instrumentation inst) {
        String[] words = options.split(" ");
        File file = new File(words[1]);
        inst.addTransformer(new ClassFileTransformer() {
            @Override
            public byte[] transform(
                    ClassLoader loader, String name, Class<?> redefined, ProtectionDomain domain, byte[] bytes) {
                if (redefined != null && words[0].equals(name)) {
                    System.out.println("held " + name);
                    // No test takes longer; a JVM that nobody lets go would stay.
                    for (int i = 0; i < 30_000 && !file.exists(); i++) {
                        pause();
                    }
                }
                return null;
            }
        });
        System.out.println("holds " + words[0]);
    }

    private static void pause() {
        try {
            Thread.sleep(2);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }
}
