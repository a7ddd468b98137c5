// Loads the class Shared in two loaders, for a test that wants both found. Does nothing else until stdin ends.

import java.io.File;
import java.net.URL;
import java.net.URLClassLoader;

public final class TwoLoaders {
    public static void main(String[] args) throws Exception {
        URL[] here = {new File(args[0]).toURI().toURL()};
        Class<?> one = new URLClassLoader(here, null).loadClass("Shared");
        Class<?> other = new URLClassLoader(here, null).loadClass("Shared");
        System.out.println("ready " + (one != other));
        while (System.in.read() >= 0) {
            // Only keeps the classes reachable.
        }
        System.out.println(one.getName() + other.getName());
    }
}

final class Shared {
    private Shared() {}
}
