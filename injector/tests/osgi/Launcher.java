// Runs an OSGi framework with one bundle, whose class loader asks the boot loader for java.* only.

import java.io.File;
import java.util.HashMap;
import java.util.Map;
import java.util.ServiceLoader;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;

public final class Launcher {
    public static void main(String[] args) throws Exception {
        Map<String, String> configuration = new HashMap<>();
        configuration.put("org.osgi.framework.storage", args[0]);
        configuration.put("org.osgi.framework.storage.clean", "onFirstInit");
        // What Felix does else for classes of the JDK that look to be asked for by the JVM itself.
        configuration.put("felix.bootdelegation.implicit", "false");
        Framework framework = ServiceLoader.load(FrameworkFactory.class).iterator().next().newFramework(configuration);
        framework.start();
        framework.getBundleContext().installBundle(new File(args[1]).toURI().toString()).start();
        framework.waitForStop(0);
    }
}
