// Which method is the agent's agentmain, and calling it: the rules of sun.instrument.InstrumentationImpl, measured on
// 8, 11, 17, 21, 25 and 26. They changed once, in JDK 17 (JDK-8165276): inherited and non-public ones no longer count.
package io.jgraft.agent.impl;

import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;

final class AgentMain {
    private static final String NAME = "agentmain";
    /** The feature version from which agentmain must be declared in the agent class itself, and public. */
    private static final int PUBLIC_AND_DECLARED_FROM = 17;
    private static final Class<?>[][] SIGNATURES = {{String.class, Instrumentation.class}, {String.class}};

    private final Method method;
    private final boolean accessibleOnly;

    private AgentMain(Method method, boolean accessibleOnly) {
        this.method = method;
        this.accessibleOnly = accessibleOnly;
    }

    static AgentMain find(Class<?> agentClass) throws LoadFailure {
        return find(agentClass, specificationVersion() >= PUBLIC_AND_DECLARED_FROM);
    }

    static AgentMain find(Class<?> agentClass, boolean publicAndDeclared) throws LoadFailure {
        Method method;
        try {
            method = lookup(agentClass, !publicAndDeclared);
        } catch (NoSuchMethodException e) {
            throw new LoadFailure(Stage.METHOD, "class " + agentClass.getName() + " has no "
                    + "agentmain(String, Instrumentation) and no agentmain(String)"
                    + (publicAndDeclared ? " of its own (inherited ones do not count from JDK 17 on)" : ""), e);
        } catch (Throwable t) {
            // A type in some signature of the class is missing, for example.
            throw new LoadFailure(Stage.METHOD, "the methods of class " + agentClass.getName() + " cannot be listed: "
                    + StackText.headline(t), t);
        }
        String name = agentClass.getName() + "." + NAME;
        if (publicAndDeclared && !Modifier.isPublic(method.getModifiers())) {
            String message = "method " + name + " must be declared public";
            throw new LoadFailure(Stage.METHOD, message, new IllegalAccessException(message));
        }
        if (!Modifier.isStatic(method.getModifiers())) {
            String message = "method " + name + " must be declared static";
            throw new LoadFailure(Stage.METHOD, message, new NullPointerException(message));
        }
        return new AgentMain(method, publicAndDeclared && Modifier.isPublic(agentClass.getModifiers()));
    }

    // The declared methods first, both signatures of them; if there is none the exception is that of the first try.
    private static Method lookup(Class<?> agentClass, boolean inheritedToo) throws NoSuchMethodException {
        NoSuchMethodException first = null;
        for (int inherited = 0; inherited <= (inheritedToo ? 1 : 0); inherited++) {
            for (Class<?>[] signature : SIGNATURES) {
                try {
                    return inherited == 0 ? agentClass.getDeclaredMethod(NAME, signature)
                            : agentClass.getMethod(NAME, signature);
                } catch (NoSuchMethodException e) {
                    first = first == null ? e : first;
                }
            }
        }
        throw first;
    }

    /** Calls it on this thread. What it throws is the cause of the failure. */
    void invoke(String options, Instrumentation inst) throws LoadFailure {
        Reserve.hold();
        try {
            if (!accessibleOnly) {
                method.setAccessible(true);
            }
            if (method.getParameterTypes().length == 2) {
                method.invoke(null, options, inst);
            } else {
                method.invoke(null, options);
            }
        } catch (InvocationTargetException e) {
            Reserve.release();
            throw failed(e.getCause());
        } catch (Throwable t) {
            // Not from the body: the class's initializer, for one, or no access to its package.
            Reserve.release();
            throw failed(t);
        }
        Reserve.release();
    }

    private LoadFailure failed(Throwable t) {
        return new LoadFailure(Stage.AGENTMAIN, method.getDeclaringClass().getName() + "." + NAME + " threw "
                + StackText.headline(t), t);
    }

    private static int specificationVersion() {
        String version = System.getProperty("java.specification.version");
        return version.startsWith("1.") ? 8 : Integer.parseInt(version);
    }

    @Override
    public String toString() {
        return method.getDeclaringClass().getName() + "." + NAME
                + (method.getParameterTypes().length == 2 ? "(String, Instrumentation)" : "(String)");
    }
}
