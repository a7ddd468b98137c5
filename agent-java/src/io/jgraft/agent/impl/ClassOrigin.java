// Says when a class is not from the jar it was expected from: the system class loader keeps the first class of a name,
// so a newer version of an agent that is loaded into the same JVM runs the old code, and nothing tells.
package io.jgraft.agent.impl;

import java.io.File;
import java.security.CodeSource;

final class ClassOrigin {
    private ClassOrigin() {
    }

    /** A warning, or null where the class is from {@code jar} or its origin is not known. */
    static String otherThan(File jar, Class<?> agentClass) {
        try {
            CodeSource source = agentClass.getProtectionDomain().getCodeSource();
            if (source == null || source.getLocation() == null || !"file".equals(source.getLocation().getProtocol())) {
                return null;
            }
            File origin = new File(source.getLocation().toURI());
            if (origin.getCanonicalFile().equals(jar.getCanonicalFile())) {
                return null;
            }
            return "class " + agentClass.getName() + " is from " + origin + ", which came first on the class path: "
                    + "the one in " + jar + " is not used";
        } catch (Exception unknown) {
            return null;
        }
    }
}
