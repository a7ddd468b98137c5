// Loads classes, redefines each, and prints the JVMTI error of each: 0 for none.

import java.io.File;
import java.lang.instrument.ClassDefinition;
import java.lang.instrument.Instrumentation;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Paths;

public class Redefine {
    static Instrumentation instrumentation;

    public static void premain(String arguments, Instrumentation given) {
        instrumentation = given;
    }

    /** A file of lines: a case, the folder of the old classes, the class, the file of the new class. */
    public static void main(String[] arguments) throws Exception {
        for (String line : Files.readAllLines(Paths.get(arguments[0]))) {
            String[] words = line.split("\t");
            URL[] folder = {new File(words[1]).toURI().toURL()};
            Class<?> old = Class.forName(words[2], false, new URLClassLoader(folder));
            byte[] bytes = Files.readAllBytes(Paths.get(words[3]));
            System.out.println("case\t" + words[0] + "\t" + code(old, bytes));
        }
        System.out.println("done");
    }

    static String code(Class<?> old, byte[] bytes) {
        try {
            instrumentation.redefineClasses(new ClassDefinition(old, bytes));
            return "0";
        } catch (Throwable refused) {
            String message = String.valueOf(refused.getMessage());
            String[][] known = {
                {"attempted to add a method", "63"}, {"attempted to change the schema", "64"},
                {"attempted to change superclass or interfaces", "66"}, {"attempted to delete a method", "67"},
                {"attempted to change the class modifiers", "70"}, {"attempted to change method modifiers", "71"},
                {"attempted to change the class NestHost", "72"}, {"class names don't match", "69"},
            };
            for (String[] row : known) {
                if (message.contains(row[0])) {
                    return row[1];
                }
            }
            return refused instanceof UnsupportedClassVersionError ? "68" : refused.toString();
        }
    }
}
