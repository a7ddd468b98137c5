// What woven methods call. The native agent's build compiles it and the library carries it; nobody loads it from a file.
package java.lang;

import jdk.internal.misc.Unsafe;
import jdk.internal.vm.annotation.ForceInline;
import jdk.internal.vm.annotation.ReservedStackAccess;

/**
 * What woven methods call: writes events into the memory that the native agent has made. Its layout is that of
 * crates/protocol/src/events, whose version is the first number in the name: a JVM keeps the first class of a name for life.
 * Each trace that runs at the same time has memory of its own, and so a class of its own: the agent counts the second up.
 *
 * <p>A normal exit allocates nothing, locks nothing, makes no native call, and calls nothing that could be woven. In java.lang,
 * since every class loader asks the boot loader for that. The agent makes it fit for JDK 8.
 */
public final class JgraftProbe1_00 {
    private static final Unsafe U = Unsafe.getUnsafe();
    /** Addresses and sizes, by which the agent replaces these numbers in the constant pool before it defines the class. */
    private static final long GATE = 0x4A47524146540001L;
    private static final long SHARDS = 0x4A47524146540002L;
    private static final long SHARD_MASK = 0x4A47524146540003L;
    private static final long SHARD_BYTES = 0x4A47524146540004L;
    private static final long RECORD_MASK = 0x4A47524146540005L;
    private static final long ROOM = 0x4A47524146540006L;
    private static final long ROUND = 0x4A47524146540007L;
    private static final long NAMES = 0x4A47524146540008L;

    private static final long THREAD_ID = offset(Thread.class, "tid");
    /** How deep the stack was where an exception was made; JDK 9 and later have it. */
    private static final long DEPTH = offset(Throwable.class, "depth");
    private static final int READ = 16 * 8;
    private static final int DROPPED = 32 * 8;
    private static final int PAGE = 4096;
    private static final long COMMITTED = 1L << 63;
    private static final long THROWN = 1L << 62;
    private static final long OWN = 1L << 61;
    /** An entry of the table of names: its round and length, the name, and whether a thread writes it just now. */
    private static final int NAME_BYTES = 128;

    private static final int NAME = 8;
    private static final int TAKEN = 120;
    private static final int MOST_NAME = TAKEN - NAME;
    private static final int MOST_NAMES = 1024;

    /** Names of classes of exceptions by their numbers, as the memory has them; no class is kept from being unloaded. */
    private static final String[] KNOWN = new String[MOST_NAMES];

    private JgraftProbe1_00() {}

    private static long offset(Class<?> type, String field) {
        try {
            return U.objectFieldOffset(type.getDeclaredField(field));
        } catch (NoSuchFieldException e) {
            return 0;
        }
    }

    @ForceInline
    @ReservedStackAccess
    public static void exit(int id, long start) {
        if (U.getLongVolatile(null, GATE) != 0) {
            write(id, start, System.nanoTime(), 0, 0);
        }
    }

    /** {@code own} is what the method has thrown itself, if it has. */
    @ReservedStackAccess
    public static void thrown(int id, long start, Throwable exception, Throwable own) {
        if (U.getLongVolatile(null, GATE) != 0) {
            long end = System.nanoTime();
            long round = U.getLongVolatile(null, ROUND);
            int number = numberOf(exception, round);
            boolean isOwn = exception == own || isMadeHere(exception);
            write(id, start, end, THROWN | (isOwn ? OWN : 0) | (long) number << 48, round);
        }
    }

    /** Whether the JVM has made it while the method ran that has called {@link #thrown}, for one of its own instructions. */
    private static boolean isMadeHere(Throwable exception) {
        Class<?> type = exception.getClass();
        boolean isOfJvm = type == NullPointerException.class || type == ArrayIndexOutOfBoundsException.class
                || type == ArithmeticException.class || type == ClassCastException.class
                || type == ArrayStoreException.class || type == NegativeArraySizeException.class;
        if (!isOfJvm || DEPTH == 0) {
            return false;
        }
        try {
            int depth = U.getInt(exception, DEPTH);
            // Between the method and this place are two of ours.
            return depth != 0 && depth == U.getInt(new Throwable(), DEPTH) - 2;
        } catch (Throwable ours) {
            return false;
        }
    }

    @ForceInline
    private static void write(int id, long start, long end, long how, long round) {
        long thread = THREAD_ID == 0 ? 0 : U.getLong(Thread.currentThread(), THREAD_ID);
        long shard = SHARDS + ((thread * 0x9E3779B97F4A7C15L >>> 40) & SHARD_MASK) * SHARD_BYTES;
        // The check comes before the reservation: what is reserved is written.
        if (U.getLongVolatile(null, shard) - U.getLongVolatile(null, shard + READ) >= ROOM) {
            U.getAndAddLong(null, shard + DROPPED, 1);
            return;
        }
        long position = U.getAndAddLong(null, shard, 1);
        // In a later round the number is another name's. Rounds begin before the reader's position is set: either this is seen, or
        // the record is one that nobody reads.
        if (how != 0 && U.getLongVolatile(null, ROUND) != round) {
            how &= THROWN | OWN;
        }
        long record = shard + PAGE + (position & RECORD_MASK) * 32;
        U.putLong(record + 8, thread);
        U.putLong(record + 16, start);
        U.putLong(record + 24, end);
        U.putLongRelease(null, record, COMMITTED | how | ((position ^ position >>> 16) & 0xffff) << 32 | id & 0xffffffffL);
    }

    /** The number that a class has in this round, by its name; 0 where there is none left. */
    private static int numberOf(Throwable exception, long round) {
        try {
            String name = exception.getClass().getName();
            int at = name.hashCode();
            for (int tries = 0; tries < MOST_NAMES; tries++, at++) {
                int number = at & MOST_NAMES - 1;
                long entry = NAMES + number * (long) NAME_BYTES;
                if (number == 0) {
                    continue;
                }
                // Where another thread writes just now, the name gets a second number.
                long found = U.getLongVolatile(null, entry) >>> 32;
                if (found == round ? name.equals(KNOWN[number]) : found < round && name(number, entry, name, round)) {
                    return number;
                }
            }
            return 0;
        } catch (Throwable ours) {
            // No memory, no stack: the exception of the application is what counts.
            return 0;
        }
    }

    /** Writes a name down, the end of it if it is long; false where another thread has taken that entry. */
    private static boolean name(int number, long entry, String name, long round) {
        if (U.getAndSetLong(null, entry + TAKEN, 1) != 0) {
            return false;
        }
        try {
            // It may have been free before and be so no longer, even in a later round than ours, where it stays.
            long found = U.getLongVolatile(null, entry) >>> 32;
            if (found >= round) {
                return found == round && name.equals(KNOWN[number]);
            }
            // Who still reads the name of an earlier round sees by that that it is gone.
            U.putLongVolatile(null, entry, 0);
            U.storeFence();
            int length = name.length();
            int skipped = length > MOST_NAME ? length - MOST_NAME : 0;
            for (int i = skipped; i < length; i++) {
                char c = name.charAt(i);
                U.putByte(entry + NAME + i - skipped, c < 128 ? (byte) c : (byte) '?');
            }
            KNOWN[number] = name;
            U.putLongRelease(null, entry, round << 32 | length - skipped);
            return true;
        } finally {
            U.putLongRelease(null, entry + TAKEN, 0);
        }
    }
}
