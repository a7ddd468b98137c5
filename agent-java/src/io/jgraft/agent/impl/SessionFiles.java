// The files of a session's directory: plain names, plain files, each written once. The directory is the JVM's user's
// alone (the stub has checked it), so what lies there is by that user or by root.
package io.jgraft.agent.impl;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

final class SessionFiles {
    private static final int LIMIT = 64 << 20;
    /** Of an answer. */
    private static final int ROOM = 16 << 10;
    private static final byte[] END = "\nend=true\n".getBytes(StandardCharsets.ISO_8859_1);

    final Path directory;

    SessionFiles(Path directory) {
        this.directory = directory;
    }

    /** What the injector has put there. */
    byte[] read(String name) throws PatchFailure {
        try {
            Path path = path(name);
            if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) || Files.size(path) > LIMIT) {
                throw new IOException("there is no plain file of at most " + LIMIT + " bytes");
            }
            return Files.readAllBytes(path);
        } catch (IOException e) {
            throw new PatchFailure("request", "the session's file " + name + " cannot be read: "
                    + StackText.headline(e), e);
        }
    }

    /** A request, or null where it is not there, or not yet to its end, which is the line {@code end=true}. */
    Properties request(String name) throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(path(name));
        } catch (NoSuchFileException notYet) {
            return null;
        }
        int from = bytes.length - END.length;
        if (from < 0 || !Arrays.equals(Arrays.copyOfRange(bytes, from, bytes.length), END)) {
            return null;
        }
        Properties request = new Properties();
        request.load(new ByteArrayInputStream(bytes));
        return request;
    }

    /** A new file, for its owner alone. */
    String write(String name, byte[] bytes) throws PatchFailure {
        try {
            create(name, bytes).close();
            return name;
        } catch (IOException e) {
            throw new PatchFailure("files", "the session's file " + name + " cannot be written: "
                    + StackText.headline(e), e);
        }
    }

    /** A new file that stays open. */
    FileChannel create(String name, byte[] bytes) throws IOException {
        Set<OpenOption> options = new HashSet<OpenOption>(Arrays.asList(
                StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE));
        FileAttribute<?> mine = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        FileChannel out = FileChannel.open(path(name), options, mine);
        try {
            for (ByteBuffer rest = ByteBuffer.wrap(bytes); rest.hasRemaining();) {
                out.write(rest);
            }
            return out;
        } catch (IOException e) {
            out.close();
            Files.deleteIfExists(path(name));
            throw e;
        }
    }

    /** Room for an answer, taken before what it will tell is done: by then the disk may be full. */
    FileChannel room(String name) throws IOException {
        return create(name + ".tmp", new byte[ROOM]);
    }

    /** Written aside, into the room that was taken, and renamed, so that it is whole or not there. */
    void reply(String name, FileChannel room, Map<String, String> pairs) throws IOException {
        try {
            byte[] text = text(pairs);
            if (text.length > ROOM) {
                pairs.remove("stack");
                text = text(pairs);
            }
            room.position(0);
            for (ByteBuffer rest = ByteBuffer.wrap(text); rest.hasRemaining();) {
                room.write(rest);
            }
            room.truncate(text.length);
        } finally {
            room.close();
        }
        Files.move(path(name + ".tmp"), path(name), StandardCopyOption.ATOMIC_MOVE);
    }

    /** There is nobody to tell where it cannot be removed. */
    void remove(String name) {
        try {
            Files.deleteIfExists(path(name));
        } catch (IOException gone) {
            // The whole directory is, most likely.
        }
    }

    Path path(String name) throws IOException {
        boolean plain = !name.isEmpty() && name.charAt(0) != '.';
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            plain &= c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.';
        }
        if (!plain) {
            throw new IOException("'" + name + "' is no plain name");
        }
        return directory.resolve(name);
    }

    /** As Properties.load reads it; not by Properties.store, which asks for the time zone. */
    private static byte[] text(Map<String, String> pairs) {
        StringBuilder out = new StringBuilder();
        for (Map.Entry<String, String> pair : pairs.entrySet()) {
            out.append(pair.getKey()).append('=');
            String value = pair.getValue();
            for (int i = 0; i < value.length(); i++) {
                char c = value.charAt(i);
                if (c == '\\' || c == ' ' && i == 0) {
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
}
