/* The BTrace contestant of `cargo xtask bench trace`: counts the calls and adds up how long they took. */
import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.btrace.core.BTraceUtils;
import org.openjdk.btrace.core.annotations.BTrace;
import org.openjdk.btrace.core.annotations.Duration;
import org.openjdk.btrace.core.annotations.Kind;
import org.openjdk.btrace.core.annotations.Location;
import org.openjdk.btrace.core.annotations.OnMethod;

@BTrace
public class CallScript {
    private static AtomicLong calls = BTraceUtils.Atomic.newAtomicLong(0);
    private static AtomicLong nanos = BTraceUtils.Atomic.newAtomicLong(0);

    @OnMethod(clazz = "TracedCalls$Work", method = "step", location = @Location(Kind.RETURN))
    public static void onReturn(@Duration long duration) {
        BTraceUtils.Atomic.incrementAndGet(calls);
        BTraceUtils.Atomic.addAndGet(nanos, duration);
    }
}
