// What a retransformation hands out of classes of which no loader has the bytes, so that they can be a base: where an agent
// has put something into them they are none, because it would do so again. That is asked by having the same bytes loaded by a
// loader of their own. Agents see that as any class that is loaded; then it is given a version that no JVM takes, and is none.
package io.jgraft.agent.impl;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The last transformer in the chain: takes what goes by. */
final class HandedBytes implements ClassFileTransformer {
    private final List<Class<?>> wanted;
    private final Map<Class<?>, byte[]> bytes = new ConcurrentHashMap<Class<?>, byte[]>();
    private final Map<Class<?>, String> objections = new HashMap<Class<?>, String>();
    private volatile Asked asked;
    private volatile byte[] answer;

    /** Where agents are asked. */
    private static final class Asked extends ClassLoader {
        Asked(ClassLoader parent) {
            super(parent);
        }

        void define(String name, byte[] bytes, ProtectionDomain domain) {
            defineClass(name, bytes, 0, bytes.length, domain);
        }
    }

    private HandedBytes(List<Class<?>> wanted) {
        this.wanted = wanted;
    }

    /** Of these classes. */
    static HandedBytes of(List<Class<?>> classes, Instrumentation inst) throws PatchFailure {
        HandedBytes handed = new HandedBytes(classes);
        // What it needs is loaded before it is asked about a class that is being loaded.
        handed.transform(null, "", HandedBytes.class, null, new byte[0]);
        inst.addTransformer(handed, true);
        try {
            inst.retransformClasses(classes.toArray(new Class<?>[0]));
            for (Map.Entry<Class<?>, byte[]> each : handed.bytes.entrySet()) {
                String objection = handed.objection(each.getKey(), each.getValue());
                if (objection != null) {
                    handed.objections.put(each.getKey(), objection);
                }
            }
        } catch (Throwable t) {
            throw new PatchFailure("hand", "the jvm hands out no bytes: " + StackText.headline(t), t);
        } finally {
            inst.removeTransformer(handed);
        }
        return handed;
    }

    /** Null where there are none. */
    byte[] bytes(Class<?> c) {
        return bytes.get(c);
    }

    /** Why they are no base, or null. */
    String objection(Class<?> c) {
        return bytes.containsKey(c) ? objections.get(c) : "the jvm has handed out nothing";
    }

    private String objection(Class<?> c, byte[] handed) {
        String refusal = "nobody was asked";
        answer = null;
        asked = new Asked(c.getClassLoader());
        try {
            asked.define(c.getName(), handed, c.getProtectionDomain());
        } catch (LinkageError e) {
            // As it is meant: after the agents were asked.
            refusal = StackText.headline(e);
        } catch (SecurityException e) {
            refusal = StackText.headline(e);
        } finally {
            asked = null;
        }
        if (answer == null) {
            return "other agents cannot be asked whether they have changed it: " + refusal;
        }
        return Arrays.equals(answer, handed) ? null : "another agent changes it, and would change it once more";
    }

    @Override
    public byte[] transform(ClassLoader loader, String name, Class<?> c, ProtectionDomain domain, byte[] handed) {
        if (c != null && wanted.contains(c)) {
            bytes.put(c, handed.clone());
        } else if (loader != null && loader == asked) {
            answer = handed.clone();
            byte[] refused = handed.clone();
            refused[6] = refused[7] = -1;
            return refused;
        }
        return null;
    }
}
