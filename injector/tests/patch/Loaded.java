// Loads and links the class A of each package below a folder, and waits.

import java.io.File;

public class Loaded {
    public static void main(String[] arguments) throws Exception {
        for (String folder : new File(arguments[0]).list()) {
            try {
                Class.forName(folder + ".A");
            } catch (LinkageError theirs) {
                // Some do not get through their static initializer; they are linked.
            }
        }
        System.out.println("ready");
        while (System.in.read() >= 0) {
        }
    }
}
