/*
 * The Byte Buddy contestant of `cargo xtask bench trace`: Advice around one method that writes the record that
 * jgraft's probe writes, at entry a clock read, into the memory whose file it is told. The layout is that of
 * crates/protocol/src/events. Options: `FILE,CLASS,METHOD`.
 */
import java.lang.instrument.Instrumentation;
import java.lang.reflect.Field;
import java.nio.Buffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.matcher.ElementMatchers;
import sun.misc.Unsafe;

public final class AdviceAgent {
    private AdviceAgent() {}

    public static void premain(String options, Instrumentation instrumentation) throws Exception {
        String[] words = options.split(",");
        Records.open(words[0]);
        new AgentBuilder.Default()
                .disableClassFormatChanges()
                .type(ElementMatchers.named(words[1]))
                .transform((builder, type, loader, module, domain) ->
                        builder.visit(Advice.to(Around.class).on(ElementMatchers.named(words[2]))))
                .installOn(instrumentation);
    }

    /** What is put into the method. */
    public static final class Around {
        @Advice.OnMethodEnter
        static long enter() {
            return System.nanoTime();
        }

        @Advice.OnMethodExit(onThrowable = Throwable.class)
        static void exit(@Advice.Enter long start, @Advice.Thrown Throwable thrown) {
            Records.write(1, start, System.nanoTime(), thrown != null);
        }
    }

    /** The memory. */
    public static final class Records {
        private static final Unsafe U = unsafe();
        private static long shards;
        private static long shardMask;
        private static long shardBytes;
        private static long recordMask;
        private static long room;
        private static MappedByteBuffer kept;

        /** Sizes as constants, once the memory is open: this class is initialised by the first call. */
        private static final class Sizes {
            static final long SHARDS = shards;
            static final long SHARD_MASK = shardMask;
            static final long SHARD_BYTES = shardBytes;
            static final long RECORD_MASK = recordMask;
            static final long ROOM = room;
        }

        static void open(String file) throws Exception {
            try (FileChannel channel =
                    FileChannel.open(Paths.get(file), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                kept = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
            }
            long address = U.getLong(kept, U.objectFieldOffset(Buffer.class.getDeclaredField("address")));
            long records = U.getLong(address + 16);
            shards = address + 4096;
            shardMask = U.getLong(address + 8) - 1;
            shardBytes = 4096 + records * 32;
            recordMask = records - 1;
            room = records - U.getLong(address + 24);
        }

        public static void write(int id, long start, long end, boolean thrown) {
            long thread = Thread.currentThread().getId();
            long shard = Sizes.SHARDS
                    + ((thread * 0x9E3779B97F4A7C15L >>> 40) & Sizes.SHARD_MASK) * Sizes.SHARD_BYTES;
            if (U.getLongVolatile(null, shard) - U.getLongVolatile(null, shard + 128) >= Sizes.ROOM) {
                U.getAndAddLong(null, shard + 256, 1);
                return;
            }
            long position = U.getAndAddLong(null, shard, 1);
            long record = shard + 4096 + (position & Sizes.RECORD_MASK) * 32;
            U.putLong(record + 8, thread);
            U.putLong(record + 16, start);
            U.putLong(record + 24, end);
            long mark = (position ^ position >>> 16) & 0xffff;
            long commit = 1L << 63 | (thrown ? 1L << 62 : 0) | mark << 32 | id;
            U.putOrderedLong(null, record, commit);
        }

        private static Unsafe unsafe() {
            try {
                Field field = Unsafe.class.getDeclaredField("theUnsafe");
                field.setAccessible(true);
                return (Unsafe) field.get(null);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }
    }
}
