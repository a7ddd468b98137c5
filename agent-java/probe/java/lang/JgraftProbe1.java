package java.lang;

import java.lang.ref.WeakReference;
import jdk.internal.misc.Unsafe;
import jdk.internal.vm.annotation.ForceInline;
import jdk.internal.vm.annotation.ReservedStackAccess;

/**
 * What woven methods call: writes events into the memory that the native agent has made. Its layout is that of
 * crates/protocol/src/events, whose version is the number in the name: a JVM keeps the first class of a name for life.
 *
 * <p>A normal exit allocates nothing, locks nothing, makes no native call, and calls nothing that could be woven. In java.lang,
 * since every class loader asks the boot loader for that. The agent makes it fit for JDK 8.
 */
public final class JgraftProbe1 {
    private static final Unsafe U = Unsafe.getUnsafe();
    private static final long GATE = setting(0);
    private static final long SHARDS = setting(1);
    private static final long SHARD_MASK = setting(2);
    private static final long SHARD_BYTES = setting(3);
    private static final long RECORD_MASK = setting(4);
    private static final long ROOM = setting(5);
    private static final long THREAD_ID = threadId();
    private static final int READ = 16 * 8;
    private static final int DROPPED = 32 * 8;
    private static final int PAGE = 4096;
    private static final long COMMITTED = 1L << 63;
    private static final long THROWN = 1L << 62;

    /** Classes of exceptions with their numbers; no class is kept from being unloaded. */
    private static final WeakReference<?>[] EXCEPTIONS = new WeakReference<?>[1024];

    private static final char[] NUMBERS = new char[1024];

    private JgraftProbe1() {}

    private static native long setting(int which);

    /** The number of a class of exceptions; 0 where there are too many. */
    private static native int number(Class<?> exception);

    private static long threadId() {
        try {
            return U.objectFieldOffset(Thread.class.getDeclaredField("tid"));
        } catch (NoSuchFieldException e) {
            return 0;
        }
    }

    @ForceInline
    @ReservedStackAccess
    public static void exit(int id, long start) {
        if (U.getLongVolatile(null, GATE) != 0) {
            write(id, start, System.nanoTime(), 0);
        }
    }

    @ReservedStackAccess
    public static void thrown(int id, long start, Throwable exception) {
        if (U.getLongVolatile(null, GATE) != 0) {
            long end = System.nanoTime();
            write(id, start, end, THROWN | (long) numberOf(exception) << 48);
        }
    }

    @ForceInline
    private static void write(int id, long start, long end, long how) {
        long thread = THREAD_ID == 0 ? 0 : U.getLong(Thread.currentThread(), THREAD_ID);
        long shard = SHARDS + ((thread * 0x9E3779B97F4A7C15L >>> 40) & SHARD_MASK) * SHARD_BYTES;
        // The check comes before the reservation: what is reserved is written.
        if (U.getLongVolatile(null, shard) - U.getLongVolatile(null, shard + READ) >= ROOM) {
            U.getAndAddLong(null, shard + DROPPED, 1);
            return;
        }
        long position = U.getAndAddLong(null, shard, 1);
        long record = shard + PAGE + (position & RECORD_MASK) * 32;
        U.putLong(record + 8, thread);
        U.putLong(record + 16, start);
        U.putLong(record + 24, end);
        U.putLongRelease(null, record, COMMITTED | how | (position & 0xffff) << 32 | id & 0xffffffffL);
    }

    private static int numberOf(Throwable exception) {
        try {
            Class<?> type = exception.getClass();
            int at = System.identityHashCode(type);
            for (int tries = 0; tries < 16; tries++, at++) {
                WeakReference<?> known = EXCEPTIONS[at & 1023];
                if (known == null) {
                    break;
                }
                if (known.get() == type) {
                    return NUMBERS[at & 1023];
                }
            }
            int number = number(type);
            // Number first: who sees the reference sees it too, or asks once more.
            if (EXCEPTIONS[at & 1023] == null) {
                NUMBERS[at & 1023] = (char) number;
                EXCEPTIONS[at & 1023] = new WeakReference<>(type);
            }
            return number;
        } catch (Throwable ours) {
            // No memory, no stack: the exception of the application is what counts.
            return 0;
        }
    }
}
