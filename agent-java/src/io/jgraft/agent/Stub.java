// The entry of the bundled agent: premain and agentmain, the session directory, the choice of implementation.
// FROZEN. The system class loader keeps the first Stub it ever sees for the life of the JVM, so a newer jar runs
// this one too: whatever may change belongs to io.jgraft.agent.impl, which is loaded anew per content hash.
// The contract (../../../../README.md, "Contract") may not change either. Not here: any verb, any policy.
package io.jgraft.agent;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Carries out the one request of a session directory and leaves the reply there. Never throws, never prints. */
public final class Stub {
    /** What implementations of every version keep in common, by a name that says its format. It holds classes of the
     *  JDK alone: each implementation is in a class loader of its own. */
    public static final Map<String, Object> STATE = new ConcurrentHashMap<String, Object>();

    private static final String CONTRACT = "1";
    private static final int REQUEST_LIMIT = 1 << 20;
    private static final int AGENT_JAR_LIMIT = 16 << 20;
    private static final int VALUE_LIMIT = 64 << 10;
    private static final int RESERVE = 1 << 20;
    private static final int FILE_TYPE = 0170000;
    private static final int DIRECTORY = 0040000;
    private static final int REGULAR_FILE = 0100000;
    private static final int OTHERS_MAY_WRITE = 0022;
    private static final String IMPLEMENTATION = "io.jgraft.agent.impl.Main";
    /** Loaders of implementations, by the SHA-256 of the jar they came from. */
    private static final Map<String, ClassLoader> LOADERS = new HashMap<String, ClassLoader>();

    private final Path session;
    /** How far the request has come: named in the reply if it goes no further. */
    private String stage = "session";
    /** Given back before the reply is made: an agent that filled the heap must not silence it. */
    private byte[] reserve = new byte[RESERVE];

    private Stub(Path session) {
        this.session = session;
    }

    /** As agentmain: a session may also be named on the command line. */
    public static void premain(String options, Instrumentation inst) {
        agentmain(options, inst);
    }

    /** Options are the absolute path of the session directory, or nothing: then there is nothing to do. */
    public static void agentmain(String options, Instrumentation inst) {
        if (options == null || options.isEmpty()) {
            return;
        }
        try {
            Path session = Paths.get(options);
            Path reply = session.resolve("reply");
            if (session.isAbsolute() && !Files.exists(reply, LinkOption.NOFOLLOW_LINKS)) {
                new Stub(session).answer(inst);
            }
        } catch (Throwable nowhereToSayIt) {
            // The directory cannot be written to. Whoever waits for the reply sees that none came.
        }
    }

    private void answer(Instrumentation inst) throws IOException {
        Map<?, ?> reply;
        try {
            reply = run(inst);
        } catch (Throwable t) {
            reserve = null;
            reply = failure(t);
        }
        reserve = null;
        if (reply == null) {
            return; // The implementation has answered by itself.
        }
        write(encode(reply));
    }

    private Map<?, ?> run(Instrumentation inst) throws Throwable {
        String uid = effectiveUid();
        check(session, DIRECTORY, uid);

        stage = "request";
        Path file = session.resolve("request");
        check(file, REGULAR_FILE, uid);
        byte[] bytes = read(file, REQUEST_LIMIT);
        // Whoever attaches names the directory, and by its name the request: no one else can slip in another.
        String name = session.getFileName().toString();
        String digest = Sha256.hex(bytes).substring(0, 32);
        if (!name.startsWith("s-") || !name.endsWith("-" + digest)) {
            throw new IOException("the directory is not named for its request: its name should end with -" + digest);
        }
        Properties request = new Properties();
        request.load(new ByteArrayInputStream(bytes));

        stage = "agent-jar";
        String expected = required(request, "agent.sha256");
        Path jar = Paths.get(required(request, "agent.jar"));
        if (!jar.isAbsolute() || !Files.isRegularFile(jar)) {
            throw new IOException(jar + " is not the absolute path of a file this JVM can see");
        }
        byte[] image = read(jar, AGENT_JAR_LIMIT);
        String actual = Sha256.hex(image);
        if (!actual.equals(expected)) {
            throw new IOException("the SHA-256 of " + jar + " is " + actual + ", the request says " + expected);
        }

        stage = "implementation";
        Class<?> main = Class.forName(IMPLEMENTATION, true, loader(actual, image));
        try {
            return (Map<?, ?>) main.getMethod("run", File.class, Properties.class, Instrumentation.class)
                    .invoke(null, session.toFile(), request, inst);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** The uid that owns what this JVM creates. Not user.name, which anyone may set; not the owner of /proc/self,
     *  which is root for a process that may not be dumped (a java binary with file capabilities). */
    private static String effectiveUid() throws IOException {
        String status = new String(Files.readAllBytes(Paths.get("/proc/self/status")), StandardCharsets.ISO_8859_1);
        int line = status.indexOf("\nUid:");
        if (line < 0) {
            throw new IOException("/proc/self/status has no line Uid, so this JVM's user is unknown");
        }
        return status.substring(line + 5, status.indexOf('\n', line + 1)).trim().split("\t")[1];
    }

    private static void check(Path path, int type, String uid) throws IOException {
        Map<String, Object> facts = Files.readAttributes(path, "unix:mode,uid", LinkOption.NOFOLLOW_LINKS);
        int mode = (Integer) facts.get("mode");
        if ((mode & FILE_TYPE) != type) {
            throw new IOException(path + " is not a " + (type == DIRECTORY ? "directory" : "regular file")
                    + " (a symbolic link is none)");
        }
        if (!uid.equals(String.valueOf(facts.get("uid")))) {
            throw new IOException(path + " is owned by uid " + facts.get("uid") + ", this JVM runs as uid " + uid);
        }
        if ((mode & OTHERS_MAY_WRITE) != 0) {
            throw new IOException(path + " may be written by others than its owner: its mode is 0"
                    + Integer.toOctalString(mode & 07777));
        }
    }

    private static byte[] read(Path path, int limit) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            return read(in, limit, path.toString());
        }
    }

    private static byte[] read(InputStream in, int limit, String name) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] chunk = new byte[8192];
        for (int n; (n = in.read(chunk)) >= 0;) {
            out.write(chunk, 0, n);
            if (out.size() > limit) {
                throw new IOException(name + " is longer than " + limit + " bytes");
            }
        }
        return out.toByteArray();
    }

    private static String required(Properties request, String key) throws IOException {
        String value = request.getProperty(key);
        if (value == null) {
            throw new IOException("the request has no " + key);
        }
        return value;
    }

    private static ClassLoader loader(String hash, byte[] jar) throws IOException {
        synchronized (LOADERS) {
            ClassLoader loader = LOADERS.get(hash);
            if (loader == null) {
                loader = new ImplementationLoader(hash, jar);
                LOADERS.put(hash, loader);
            }
            return loader;
        }
    }

    private Map<String, String> failure(Throwable t) {
        Map<String, String> reply = new LinkedHashMap<String, String>();
        reply.put("outcome", "failed");
        reply.put("stage", stage);
        reply.put("exception", t.getClass().getName());
        reply.put("message", String.valueOf(t.getMessage()));
        StringWriter stack = new StringWriter();
        t.printStackTrace(new PrintWriter(stack, true));
        reply.put("stack", stack.toString());
        return reply;
    }

    /** As Properties.load reads it, one entry a line, in order, no comment, each value at most VALUE_LIMIT bytes. */
    private static byte[] encode(Map<?, ?> reply) {
        StringBuilder out = new StringBuilder("stub=" + CONTRACT + "\n");
        for (Map.Entry<?, ?> entry : reply.entrySet()) {
            out.append(entry.getKey()).append('=');
            int limit = out.length() + VALUE_LIMIT - 12;
            String value = String.valueOf(entry.getValue());
            for (int i = 0; i < value.length(); i++) {
                if (out.length() > limit) {
                    out.append("...");
                    break;
                }
                char c = value.charAt(i);
                if (c == '\n') {
                    out.append("\\n");
                } else if (c == '\t') {
                    out.append("\\t");
                } else if (c == '\\' || c == ' ' && i == 0) {
                    out.append('\\').append(c);
                } else if (c >= ' ' && c <= '~') {
                    out.append(c);
                } else {
                    out.append("\\u");
                    for (int shift = 12; shift >= 0; shift -= 4) {
                        out.append(Character.forDigit(c >> shift & 15, 16));
                    }
                }
            }
            out.append('\n');
        }
        return out.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Exclusively created, private, then renamed: a reply is whole or not there, and follows no link. */
    private void write(byte[] text) throws IOException {
        Path temporary = session.resolve("reply.tmp");
        try (SeekableByteChannel out = Files.newByteChannel(temporary,
                new HashSet<OpenOption>(Arrays.asList(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            for (ByteBuffer rest = ByteBuffer.wrap(text); rest.hasRemaining();) {
                out.write(rest);
            }
        }
        Files.move(temporary, session.resolve("reply"), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Defines classes from the very bytes whose digest was checked, and keeps no file open. Its parent is the boot
     *  loader, which has java.base and java.instrument and, unlike the system loader, no older copy of ours. */
    private static final class ImplementationLoader extends ClassLoader {
        private final String hash;
        private final Map<String, byte[]> entries = new HashMap<String, byte[]>();

        ImplementationLoader(String hash, byte[] jar) throws IOException {
            super(null);
            this.hash = hash;
            ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(jar));
            for (ZipEntry entry; (entry = in.getNextEntry()) != null;) {
                entries.put(entry.getName(), read(in, AGENT_JAR_LIMIT, entry.getName()));
            }
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            byte[] bytes = entries.get(name.replace('.', '/') + ".class");
            if (bytes == null) {
                throw new ClassNotFoundException(name);
            }
            return defineClass(name, bytes, 0, bytes.length);
        }

        @Override
        public InputStream getResourceAsStream(String name) {
            byte[] bytes = entries.get(name);
            return bytes == null ? super.getResourceAsStream(name) : new ByteArrayInputStream(bytes);
        }

        @Override
        public String toString() {
            return "jgraft agent implementation " + hash;
        }
    }
}
