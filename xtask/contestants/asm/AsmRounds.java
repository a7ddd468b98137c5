// A contestant of `cargo xtask bench classfile`: reads the classes of a jar or jmod, and for each line on stdin weaves all
// of them with ASM and prints the nanoseconds that it took. The same edit as ours: the time read at entry into a new local,
// a static call with an id and that time before each return, in every method; debug information kept.
// AsmRounds IN.jar advice|sorter: by AdviceAdapter, or by LocalVariablesSorter alone, which does less.

import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.objectweb.asm.commons.AdviceAdapter;
import org.objectweb.asm.commons.LocalVariablesSorter;

final class AsmRounds {
    static int id;

    public static void main(String[] args) throws Exception {
        List<byte[]> classes = read(args[0]);
        boolean advice = args[1].equals("advice");
        long bytes = classes.stream().mapToLong(c -> c.length).sum();
        System.out.println(classes.size() + " classes " + bytes + " bytes");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        while (in.readLine() != null) {
            long begun = System.nanoTime();
            long made = 0;
            for (byte[] one : classes) {
                made += weave(one, advice).length;
            }
            System.out.println(System.nanoTime() - begun + " " + made);
        }
    }

    static byte[] weave(byte[] bytes, boolean advice) {
        ClassReader reader = new ClassReader(bytes);
        ClassWriter writer = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
        reader.accept(new ClassVisitor(Opcodes.ASM9, writer) {
            @Override
            public MethodVisitor visitMethod(int access, String name, String descriptor, String signature,
                    String[] exceptions) {
                MethodVisitor next = super.visitMethod(access, name, descriptor, signature, exceptions);
                if ((access & (Opcodes.ACC_ABSTRACT | Opcodes.ACC_NATIVE)) != 0) {
                    return next;
                }
                id++;
                return advice
                    ? new Advice(next, access, name, descriptor)
                    : new Sorter(next, access, descriptor);
            }
        }, ClassReader.EXPAND_FRAMES);
        return writer.toByteArray();
    }

    static final class Advice extends AdviceAdapter {
        private int start;

        Advice(MethodVisitor next, int access, String name, String descriptor) {
            super(Opcodes.ASM9, next, access, name, descriptor);
        }

        @Override
        protected void onMethodEnter() {
            start = newLocal(Type.LONG_TYPE);
            mv.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/System", "nanoTime", "()J", false);
            mv.visitVarInsn(Opcodes.LSTORE, start);
        }

        @Override
        protected void onMethodExit(int opcode) {
            if (opcode != Opcodes.ATHROW) {
                push(id);
                mv.visitVarInsn(Opcodes.LLOAD, start);
                mv.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Probe", "exit", "(IJ)V", false);
            }
        }
    }

    static final class Sorter extends LocalVariablesSorter {
        private int start;

        Sorter(MethodVisitor next, int access, String descriptor) {
            super(Opcodes.ASM9, access, descriptor, next);
        }

        @Override
        public void visitCode() {
            super.visitCode();
            start = newLocal(Type.LONG_TYPE);
            mv.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/System", "nanoTime", "()J", false);
            mv.visitVarInsn(Opcodes.LSTORE, start);
        }

        @Override
        public void visitInsn(int opcode) {
            if (opcode >= Opcodes.IRETURN && opcode <= Opcodes.RETURN) {
                mv.visitLdcInsn(id);
                mv.visitVarInsn(Opcodes.LLOAD, start);
                mv.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Probe", "exit", "(IJ)V", false);
            }
            super.visitInsn(opcode);
        }
    }

    static List<byte[]> read(String file) throws Exception {
        List<byte[]> classes = new ArrayList<>();
        try (ZipFile zip = new ZipFile(file)) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                if (entry.getName().endsWith(".class") && !entry.getName().endsWith("module-info.class")) {
                    try (InputStream in = zip.getInputStream(entry)) {
                        classes.add(in.readAllBytes());
                    }
                }
            }
        }
        return classes;
    }
}
