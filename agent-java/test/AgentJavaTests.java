// The tests of agent-java, without a test framework so that they run on any JVM from 8 on:
//   java -cp jgraft-agent.jar:TEST_CLASSES AgentJavaTests [many]
// TEST_CLASSES is a directory; many is the one test that takes long, alone. The process starts a second JVM, with an Instrumentation and with the test agents
// (package agents) and the classes that patches change (package shop) off its class path, so that they can only come from the jars that the tests make.
// Not here: attaching from outside, which the live tests of the workspace do.

import io.jgraft.agent.Stub;
import io.jgraft.agent.impl.ManifestTests;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.instrument.Instrumentation;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.TreeMap;

/** Prints {@code N passed, N failed, N skipped}; exits 0 if none failed. */
public final class AgentJavaTests {
    private static Instrumentation instrumentation;

    private AgentJavaTests() {
    }

    /** Of the second JVM. */
    public static void premain(String options, Instrumentation inst) {
        instrumentation = inst;
    }

    public static void main(String[] args) throws Exception {
        if (instrumentation == null) {
            System.exit(inSecondJvm(args));
        }
        Path work = Paths.get(args[0]);
        Jars jars = new Jars(work, Paths.get(args[1]), Paths.get(args[2]));
        Check check = new Check();
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true));
        System.setErr(System.out);
        try {
            LockHolder holder = new LockHolder(jars.tests);
            try {
                if ("many".equals(args[3])) {
                    new PatchManyTests(check, jars, instrumentation, holder).run();
                } else {
                    all(check, jars, holder);
                }
            } finally {
                holder.kill();
            }
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
        check.equal("nothing of ours was printed", printed.toString(), "");
        System.exit(check.report(out) ? 0 : 1);
    }

    private static void all(Check check, Jars jars, LockHolder holder) throws Exception {
        ManifestTests.run(check);
        new StubTests(check, jars, instrumentation).run();
        new LoadTests(check, jars, instrumentation).run();
        new LookupTests(check, jars, instrumentation).run();
        new PatchTests(check, jars, instrumentation, holder).run();
        new PatchKeeperTests(check, jars, instrumentation, holder).run();
    }

    private static int inSecondJvm(String[] args) throws Exception {
        Path agentJar = location(Stub.class);
        final Path classes = location(AgentJavaTests.class);
        Path work = Files.createTempDirectory("jgraft-agent-java-tests");
        try {
            final Map<String, byte[]> entries = new TreeMap<String, byte[]>();
            Files.walkFileTree(classes, new SimpleFileVisitor<Path>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes facts) throws IOException {
                    String name = classes.relativize(file).toString();
                    if (!name.startsWith("agents/") && !name.startsWith("shop/")) {
                        entries.put(name, Files.readAllBytes(file));
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
            Path tests = work.resolve("tests.jar");
            Jars.write(tests, "Premain-Class: AgentJavaTests\nCan-Retransform-Classes: true\n"
                    + "Can-Redefine-Classes: true\nCan-Set-Native-Method-Prefix: true\n", entries);
            // A small heap for the agent that fills it; without the limit by which Parallel GC refuses what has room.
            return new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-Xmx64m",
                    "-XX:-UseGCOverheadLimit",
                    // For many: no profiles, which are in metaspace and grow for as long as code becomes hot; and little
                    // room for compiled code, since before JDK 20 a version of a class is kept until the compiled code of
                    // it is swept, which a JVM with much room hardly does.
                    args.length == 0 ? "-XX:+TieredCompilation" : "-XX:TieredStopAtLevel=1",
                    "-XX:ReservedCodeCacheSize=" + (args.length == 0 ? "48m" : "6m"),
                    "-javaagent:" + tests, "-cp", agentJar + File.pathSeparator + tests, "AgentJavaTests",
                    work.toString(), agentJar.toString(), classes.toString(), args.length == 0 ? "" : args[0]).inheritIO().start().waitFor();
        } finally {
            delete(work);
        }
    }

    private static Path location(Class<?> c) throws Exception {
        return Paths.get(c.getProtectionDomain().getCodeSource().getLocation().toURI()).toRealPath();
    }

    private static void delete(Path root) throws IOException {
        Files.walkFileTree(root, new SimpleFileVisitor<Path>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes facts) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path dir, IOException e) throws IOException {
                Files.delete(dir);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
