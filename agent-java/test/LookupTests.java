// Which agentmain is called, by shape and JDK: the table that plain attach was measured to follow.

import java.lang.instrument.Instrumentation;
import java.util.Properties;

final class LookupTests {
    /** Shape, what is called up to JDK 16, what from 17 on; an exception's name where nothing is. */
    private static final String[][] TABLE = {
        {"Two", "Two/2", "Two/2"},
        {"One", "One/1", "One/1"},
        {"Both", "Both/2", "Both/2"},
        {"PackagePrivate", "PackagePrivate/2", "java.lang.IllegalAccessException"},
        {"PrivateTwoPublicOne", "PrivateTwoPublicOne/2", "java.lang.IllegalAccessException"},
        {"Returning", "Returning/2", "Returning/2"},
        {"Instance", "java.lang.NullPointerException", "java.lang.NullPointerException"},
        {"Hidden", "Hidden/2", "Hidden/2"},
        {"InheritsTwo", "Two/2", "java.lang.NoSuchMethodException"},
        {"InheritsOne", "One/1", "java.lang.NoSuchMethodException"},
        {"InheritsPackagePrivate", "java.lang.NoSuchMethodException", "java.lang.NoSuchMethodException"},
        {"OneInheritsTwo", "OneInheritsTwo/1", "OneInheritsTwo/1"},
        {"PremainOnly", "java.lang.NoSuchMethodException", "java.lang.NoSuchMethodException"},
        {"OfInterface", "OfInterface/2", "OfInterface/2"},
    };

    private final Check check;
    private final Jars jars;
    private final Instrumentation inst;

    LookupTests(Check check, Jars jars, Instrumentation inst) {
        this.check = check;
        this.jars = jars;
        this.inst = inst;
    }

    void run() throws Exception {
        String version = System.getProperty("java.specification.version");
        int column = version.startsWith("1.") || Integer.parseInt(version) < 17 ? 1 : 2;
        String[] classes = new String[TABLE.length + 1];
        for (int i = 0; i < TABLE.length; i++) {
            classes[i] = "Shapes$" + TABLE[i][0];
        }
        classes[TABLE.length] = "Shapes";
        for (String[] row : TABLE) {
            String name = "agents.Shapes$" + row[0];
            System.getProperties().remove("agents.shape");
            Session session = new Session(jars, jars.agentJar, "verb", "load", "jar",
                    jars.of("Agent-Class: " + name + "\n", classes).toString());
            Properties reply = session.run(inst);
            String called = System.getProperty("agents.shape");
            check.equal(name, called == null ? reply.getProperty("exception") : called, row[column]);
            check.equal(name + ": outcome", reply.getProperty("outcome"), called == null ? "failed" : "ok");
            check.equal(name + ": stage", reply.getProperty("stage"), called == null ? "method" : null);
            check.equal(name + ": code", reply.getProperty("code"), called == null ? "102" : "0");
            if (called != null) {
                check.contains(name + ": method", reply.getProperty("agent.method"),
                        called.endsWith("/2") ? "agentmain(String, Instrumentation)" : "agentmain(String)");
            }
        }
    }
}
