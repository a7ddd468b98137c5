/* An agent that puts a word more into what a class says, and would do so each time that it is asked. */
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.nio.charset.StandardCharsets;
import java.security.ProtectionDomain;
import java.util.Arrays;

public class Twice {
    public static void agentmain(String options, Instrumentation inst) throws Exception {
        inst.addTransformer(new ClassFileTransformer() {
            @Override
            public byte[] transform(ClassLoader loader, String name, Class<?> c, ProtectionDomain domain, byte[] bytes) {
                return options.equals(name) ? more(bytes) : null;
            }
        }, true);
        for (Class<?> c : inst.getAllLoadedClasses()) {
            if (c.getName().equals(options)) {
                inst.retransformClasses(c);
            }
        }
        System.out.println("twice is there");
    }

    /** The letters of a constant are moved on by one: OLD, PME, QNF. */
    static byte[] more(byte[] bytes) {
        byte[] changed = bytes.clone();
        for (int i = 0; i + 6 <= bytes.length; i++) {
            if (bytes[i] == 1 && bytes[i + 1] == 0 && bytes[i + 2] == 3) {
                String word = new String(bytes, i + 3, 3, StandardCharsets.ISO_8859_1);
                if (Arrays.asList("OLD", "PME", "QNF", "ROG").contains(word)) {
                    for (int k = i + 3; k < i + 6; k++) {
                        changed[k]++;
                    }
                }
            }
        }
        return changed;
    }
}
