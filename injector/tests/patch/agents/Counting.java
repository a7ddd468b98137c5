/*
 * Another agent, as they are: it weaves a count into methods and takes it out again, by retransformation.
 * `on NAME CLASS METHOD`, `off NAME`, `hits NAME`.
 */
import java.lang.instrument.Instrumentation;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.agent.builder.ResettableClassFileTransformer;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.matcher.ElementMatchers;

public final class Counting {
    public static final ConcurrentHashMap<String, AtomicLong> HITS = new ConcurrentHashMap<>();
    private static final Map<String, ResettableClassFileTransformer> INSTALLED = new ConcurrentHashMap<>();

    public static void agentmain(String options, Instrumentation inst) {
        String[] words = options.split(" ");
        String name = words[1];
        if (words[0].equals("on")) {
            HITS.put("first", new AtomicLong());
            HITS.put("second", new AtomicLong());
            Class<?> advice = name.equals("first") ? First.class : Second.class;
            INSTALLED.put(name, new AgentBuilder.Default()
                    .disableClassFormatChanges()
                    .with(AgentBuilder.RedefinitionStrategy.RETRANSFORMATION)
                    .type(ElementMatchers.named(words[2]))
                    .transform((builder, type, loader, module, domain) ->
                            builder.visit(Advice.to(advice).on(ElementMatchers.named(words[3]))))
                    .installOn(inst));
        } else if (words[0].equals("off")) {
            INSTALLED.remove(name).reset(inst, AgentBuilder.RedefinitionStrategy.RETRANSFORMATION);
        }
        System.out.println("hits " + name + " " + HITS.get(name));
    }

    public static final class First {
        @Advice.OnMethodEnter
        static void enter() {
            Counting.HITS.get("first").incrementAndGet();
        }
    }

    public static final class Second {
        @Advice.OnMethodExit(onThrowable = Throwable.class)
        static void exit() {
            Counting.HITS.get("second").incrementAndGet();
        }
    }
}
