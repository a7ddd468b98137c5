// Weaves the classes of a folder as agents do: by Byte Buddy's Advice and by ASM's AdviceAdapter, into folders beside it.

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.dynamic.scaffold.TypeValidation;
import net.bytebuddy.implementation.Implementation;
import net.bytebuddy.matcher.ElementMatchers;
import net.bytebuddy.pool.TypePool;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.objectweb.asm.commons.AdviceAdapter;

public class Weavers {
    /** What Byte Buddy puts into a method. */
    public static class Around {
        @Advice.OnMethodEnter(suppress = Throwable.class)
        static long enter(@Advice.Origin("#t::#m") String method, @Advice.AllArguments Object[] arguments) {
            return System.nanoTime() + arguments.length + method.length();
        }

        @Advice.OnMethodExit(onThrowable = Throwable.class, suppress = Throwable.class)
        static void exit(@Advice.Enter long start, @Advice.Thrown Throwable thrown) {
            System.getProperties().put(start, String.valueOf(thrown));
        }
    }

    public static void main(String[] arguments) throws Exception {
        File[] files = new File(arguments[0]).listFiles();
        for (File file : files) {
            byte[] bytes = Files.readAllBytes(file.toPath());
            write(arguments[1], file, byteBuddy(file, arguments[0], bytes));
            write(arguments[2], file, asm(bytes));
        }
    }

    static void write(String folder, File file, byte[] bytes) throws Exception {
        Path out = Paths.get(folder, file.getName());
        Files.createDirectories(out.getParent());
        Files.write(out, bytes);
    }

    static byte[] byteBuddy(File file, String folder, byte[] bytes) throws Exception {
        ClassFileLocator locator = new ClassFileLocator.Compound(
                new ClassFileLocator.ForFolder(new File(folder)), ClassFileLocator.ForClassLoader.ofSystemLoader());
        TypeDescription type = TypePool.Default.of(locator)
                .describe(new ClassReader(bytes).getClassName().replace('/', '.')).resolve();
        // Nothing is added to the class but advice, as agents have it.
        return new ByteBuddy().with(TypeValidation.DISABLED).with(Implementation.Context.Disabled.Factory.INSTANCE)
                .redefine(type, locator)
                .visit(Advice.to(Around.class).on(ElementMatchers.isMethod().and(ElementMatchers.not(ElementMatchers.isAbstract()))))
                .make().getBytes();
    }

    static byte[] asm(byte[] bytes) {
        ClassReader reader = new ClassReader(bytes);
        // A writer of its own pool: every index is another.
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
        reader.accept(new ClassVisitor(Opcodes.ASM9, writer) {
            @Override
            public MethodVisitor visitMethod(int access, String name, String descriptor, String signature, String[] thrown) {
                MethodVisitor next = super.visitMethod(access, name, descriptor, signature, thrown);
                return next == null ? null : new AdviceAdapter(Opcodes.ASM9, next, access, name, descriptor) {
                    int start;

                    @Override
                    protected void onMethodEnter() {
                        start = newLocal(Type.LONG_TYPE);
                        visitMethodInsn(INVOKESTATIC, "java/lang/System", "nanoTime", "()J", false);
                        storeLocal(start);
                    }

                    @Override
                    protected void onMethodExit(int opcode) {
                        loadLocal(start);
                        visitMethodInsn(INVOKESTATIC, "java/lang/Long", "hashCode", "(J)I", false);
                        pop();
                    }
                };
            }
        }, ClassReader.EXPAND_FRAMES);
        return writer.toByteArray();
    }
}
