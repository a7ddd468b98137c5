// Walks the constant pool of a class file (JVMS 4.4) as far as needed to replace one int constant by another.
// Nothing moves, as an int is four bytes before and after, so nothing else in the file has to be known.
package example.reprice;

import java.nio.ByteBuffer;

final class ConstantPool {
    private static final int MAGIC = 0xCAFEBABE;

    private ConstantPool() {
    }

    /** Replaces in place, and returns how many constants there were. */
    static int replaceInteger(byte[] classFile, int from, int to) {
        ByteBuffer in = ByteBuffer.wrap(classFile); // big-endian, like a class file
        if (in.getInt() != MAGIC) {
            throw new IllegalArgumentException("not a class file");
        }
        in.getInt(); // minor_version, major_version
        int replaced = 0;
        int count = in.getShort() & 0xFFFF;
        for (int index = 1; index < count; index++) { // there is no entry 0
            int tag = in.get();
            switch (tag) {
                case 1: // Utf8: a length, then so many bytes
                    skip(in, in.getShort() & 0xFFFF);
                    break;
                case 3: // Integer
                    in.mark();
                    if (in.getInt() == from) {
                        in.reset();
                        in.putInt(to);
                        replaced++;
                    }
                    break;
                case 5: // Long
                case 6: // Double: these two take up two entries
                    skip(in, 8);
                    index++;
                    break;
                case 7: // Class
                case 8: // String
                case 16: // MethodType
                case 19: // Module
                case 20: // Package
                    skip(in, 2);
                    break;
                case 15: // MethodHandle
                    skip(in, 3);
                    break;
                case 4: // Float
                case 9: // Fieldref
                case 10: // Methodref
                case 11: // InterfaceMethodref
                case 12: // NameAndType
                case 17: // Dynamic
                case 18: // InvokeDynamic
                    skip(in, 4);
                    break;
                default:
                    throw new IllegalArgumentException("constant pool entry " + index + " has unknown tag " + tag);
            }
        }
        return replaced;
    }

    private static void skip(ByteBuffer in, int bytes) {
        in.position(in.position() + bytes);
    }
}
