// A transformer that leaves its name in the class: it appends it to the constant that begins with "trail:".
// So the class itself tells whose work it carries, and in which order it was done.
package example.chain;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.instrument.ClassFileTransformer;
import java.security.ProtectionDomain;

final class Trail implements ClassFileTransformer {
    private final String name;

    Trail(String name) {
        this.name = name;
    }

    @Override
    public byte[] transform(ClassLoader loader, String className, Class<?> redefined, ProtectionDomain domain,
            byte[] classFile) {
        if (className == null || !className.startsWith("example/chain/target/") || className.endsWith("/Main")) {
            return null;
        }
        ChainAgent.note(name);
        try {
            return append(classFile);
        } catch (IOException e) {
            return null; // cannot be: the streams are in memory, and the JVM has parsed the class
        }
    }

    // The constant pool (JVMS 4.4) is copied entry by entry, what follows it as it is.
    private byte[] append(byte[] classFile) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(classFile));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        copy(in, out, 8); // magic, versions
        int count = in.readUnsignedShort();
        out.writeShort(count);
        for (int index = 1; index < count; index++) {
            int tag = in.readUnsignedByte();
            out.writeByte(tag);
            if (tag == 1) { // Utf8
                String text = in.readUTF();
                out.writeUTF(text.startsWith("trail:") ? text + " " + name : text);
            } else if (tag == 5 || tag == 6) { // Long, Double: two entries
                copy(in, out, 8);
                index++;
            } else if (tag == 15) { // MethodHandle
                copy(in, out, 3);
            } else { // Class, String, MethodType, Module, Package; else a number, a reference, a name and type
                copy(in, out, tag == 7 || tag == 8 || tag == 16 || tag == 19 || tag == 20 ? 2 : 4);
            }
        }
        copy(in, out, in.available());
        return bytes.toByteArray();
    }

    private static void copy(DataInputStream in, DataOutputStream out, int length) throws IOException {
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        out.write(bytes);
    }
}
