// The contract of the stub: what it believes, what it refuses, what it answers.

import io.jgraft.agent.Stub;
import java.lang.instrument.Instrumentation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Collections;
import java.util.Properties;

final class StubTests {
    private final Check check;
    private final Jars jars;
    private final Instrumentation inst;

    StubTests(Check check, Jars jars, Instrumentation inst) {
        this.check = check;
        this.jars = jars;
        this.inst = inst;
    }

    void run() throws Exception {
        digests();
        nothingToDo();
        replies();
        answeredOnce();
        wrongDigests();
        wrongFiles();
        wrongOwners();
        twoVersions();
        brokenImplementation();
    }

    // Sessions are named by MessageDigest's SHA-256, so every session tests ours; this tests every length of padding.
    private void digests() throws Exception {
        for (int length = 0; length < 130; length++) {
            byte[] verb = new byte[length];
            Arrays.fill(verb, (byte) 'v');
            Session session = session("verb", new String(verb, StandardCharsets.US_ASCII));
            check.equal("a verb of " + length, session.run(inst).getProperty("stage"), "verb");
        }
    }

    private Session session(String... keysAndValues) throws Exception {
        return new Session(jars, jars.agentJar, keysAndValues);
    }

    private void nothingToDo() {
        Stub.premain(null, inst);
        for (String options : new String[] {null, "", "relative/path", "/nowhere/s-x", "/nul\0", "/proc/self/status"}) {
            Throwable thrown = null;
            try {
                Stub.agentmain(options, inst);
            } catch (Throwable t) {
                thrown = t;
            }
            check.equal("no session, no exception: " + options, thrown, null);
        }
    }

    private void replies() throws Exception {
        String verb = " =:#!\\ \u00e4\u20ac\ud834\udd1e\t\r\nend ";
        Session session = session("verb", verb);
        Properties reply = session.run(inst);
        check.equal("stub", reply.getProperty("stub"), "1");
        check.equal("outcome", reply.getProperty("outcome"), "failed");
        check.equal("stage", reply.getProperty("stage"), "verb");
        check.contains("an unknown verb is named, whatever is in it", reply.getProperty("message"), verb);
        check.equal("the reply is private", PosixFilePermissions.toString(
                Files.getPosixFilePermissions(session.directory.resolve("reply"))), "rw-------");
        check.that("reply.tmp is gone", !Files.exists(session.directory.resolve("reply.tmp")), session.directory);

        char[] longVerb = new char[100000];
        Arrays.fill(longVerb, '\u00e4');
        session = session("verb", new String(longVerb));
        check.contains("a long value is cut", session.run(inst).getProperty("message"), "...");
        long size = Files.size(session.directory.resolve("reply"));
        check.that("a long value is cut at 64 KiB", size < (64 << 10) + 200, size);

        check.contains("a request without verb", session().run(inst).getProperty("message"), "no verb");
        session = session("verb", "by premain");
        Stub.premain(session.directory.toString(), inst);
        check.that("premain takes a session too", Files.exists(session.directory.resolve("reply")), "no reply");
    }

    private void answeredOnce() throws Exception {
        Session session = session("verb", "x");
        Files.write(session.directory.resolve("reply"), "mine=1".getBytes(StandardCharsets.UTF_8));
        check.equal("a reply that is there stays", session.run(inst), Collections.singletonMap("mine", "1"));
        session = session("verb", "x");
        Files.write(session.directory.resolve("reply.tmp"), new byte[0]);
        check.equal("a reply.tmp that is there is not written through", session.run(inst), null);
    }

    private void wrongDigests() throws Exception {
        Session session = session("verb", "x");
        Path renamed = session.directory.resolveSibling("s-test-0123456789abcdef0123456789abcdef");
        Files.move(session.directory, renamed);
        refused("a directory named for another request", renamed, "request", "not named for its request");

        session = session("verb", "x");
        renamed = session.directory.resolveSibling(session.directory.getFileName().toString().replace("s-", "t-"));
        Files.move(session.directory, renamed);
        refused("a directory that is no session", renamed, "request", "not named for its request");

        Path other = jars.variant("unknown verb", "UNKNOWN VERB");
        refused("another jar than the digest says", session("verb", "x", "agent.jar", other.toString()).directory,
                "agent-jar", "the SHA-256 of " + other);
        refused("a jar that is not there", session("verb", "x", "agent.jar", "/nowhere.jar").directory,
                "agent-jar", "/nowhere.jar is not");
        refused("a request that names no jar", emptyRequest().directory, "agent-jar", "no agent.sha256");
    }

    private Session emptyRequest() throws Exception {
        Session session = session("verb", "x");
        byte[] text = "verb=x\n".getBytes(StandardCharsets.UTF_8);
        Files.write(session.request, text);
        Path renamed = session.directory.resolveSibling("s-" + Session.sha256(text).substring(0, 32));
        Files.move(session.directory, renamed);
        return new Session(renamed);
    }

    private void wrongFiles() throws Exception {
        Session session = session("verb", "x");
        Path real = session.request.resolveSibling("elsewhere");
        Files.move(session.request, real);
        Files.createSymbolicLink(session.request, real);
        refused("a request that is a link", session.directory, "request", "not a regular file");

        session = session("verb", "x");
        Path link = jars.fresh(session.directory.getFileName().toString());
        Files.createSymbolicLink(link, session.directory);
        refused("a session that is a link", link, "session", "not a directory");

        session = session("verb", "x");
        Files.setPosixFilePermissions(session.directory, PosixFilePermissions.fromString("rwxrwx---"));
        refused("a session others may write to", session.directory, "session", "0770");
        session = session("verb", "x");
        Files.setPosixFilePermissions(session.request, PosixFilePermissions.fromString("rw----rw-"));
        refused("a request others may write to", session.directory, "request", "0606");
        session = session("verb", "x");
        Files.delete(session.request);
        refused("no request", session.directory, "request", "request");
    }

    private void wrongOwners() throws Exception {
        Session session = session("verb", "x");
        if (!Integer.valueOf(0).equals(Files.getAttribute(session.directory, "unix:uid"))) {
            check.skip("files of another user are refused", "needs root, to give files away");
            return;
        }
        Files.setAttribute(session.directory, "unix:uid", 4321, LinkOption.NOFOLLOW_LINKS);
        refused("a session of another user", session.directory, "session", "owned by uid 4321");
        session = session("verb", "x");
        Files.setAttribute(session.request, "unix:uid", 4321, LinkOption.NOFOLLOW_LINKS);
        refused("a request of another user", session.directory, "request", "owned by uid 4321");
    }

    // The stub of this JVM is one class for ever; what it runs is the implementation of the jar in the request.
    private void twoVersions() throws Exception {
        Path second = jars.variant("unknown verb", "UNKNOWN VERB");
        for (int round = 0; round < 2; round++) {
            check.contains("the first version runs", session("verb", "x").run(inst).getProperty("message"),
                    "unknown verb x");
            check.contains("the second version runs in the same JVM",
                    new Session(jars, second, "verb", "x").run(inst).getProperty("message"), "UNKNOWN VERB x");
        }
    }

    private void brokenImplementation() throws Exception {
        Path broken = jars.variant("(Ljava/io/File;Ljava/util/Properties;", "(Ljava/io/Fil_;Ljava/util/Properties;");
        Properties reply = refused("an implementation that does not link",
                new Session(jars, broken, "verb", "x").directory, "implementation", "Fil_");
        check.contains("its stack is told", reply.getProperty("stack"), "at io.jgraft.agent.Stub");
        Path none = jars.fresh("none.jar");
        Jars.write(none, "A: b\n", Collections.<String, byte[]>emptyMap());
        refused("a jar without implementation", new Session(jars, none, "verb", "x").directory, "implementation",
                "io.jgraft.agent.impl.Main");
    }

    private Properties refused(String what, Path session, String stage, String message) throws Exception {
        Properties reply = Session.run(session, inst);
        check.that(what + " gets a reply", reply != null, "none");
        if (reply != null) {
            check.equal(what + ": outcome", reply.getProperty("outcome"), "failed");
            check.equal(what + ": stage", reply.getProperty("stage"), stage);
            check.contains(what + ": message", reply.getProperty("message"), message);
        }
        return reply;
    }
}
