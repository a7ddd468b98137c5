// The Instrumentation a supervised agent is given: ours, less the capabilities that its own manifest does not ask for,
// refused with the JDK's own exceptions. A proxy, because the interface has grown methods since Java 8.
// Transformers are registered with the real one, so class loading never passes through here.
package io.jgraft.agent.impl;

import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

final class GrantedInstrumentation implements InvocationHandler {
    private final Instrumentation real;
    private final AgentManifest manifest;

    private GrantedInstrumentation(Instrumentation real, AgentManifest manifest) {
        this.real = real;
        this.manifest = manifest;
    }

    static Instrumentation of(Instrumentation real, AgentManifest manifest) {
        return (Instrumentation) Proxy.newProxyInstance(GrantedInstrumentation.class.getClassLoader(),
                new Class<?>[] {Instrumentation.class}, new GrantedInstrumentation(real, manifest));
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] args) throws Throwable {
        String name = method.getName();
        if (method.getDeclaringClass() == Object.class) {
            return ofObject(proxy, name, args);
        }
        if (!manifest.canRetransformClasses) {
            if (name.equals("isRetransformClassesSupported")) {
                return false;
            }
            if (name.equals("retransformClasses")) {
                throw unsupported(name + " is");
            }
            // A null transformer is the JDK's to refuse: it looks at that first.
            if (name.equals("addTransformer") && args.length == 2 && args[0] != null && (Boolean) args[1]) {
                throw unsupported("adding retransformable transformers is");
            }
        }
        if (!manifest.canRedefineClasses) {
            if (name.equals("isRedefineClassesSupported")) {
                return false;
            }
            if (name.equals("redefineClasses")) {
                throw unsupported(name + " is");
            }
        }
        if (!manifest.canSetNativeMethodPrefix) {
            if (name.equals("isNativeMethodPrefixSupported")) {
                return false;
            }
            if (name.equals("setNativeMethodPrefix")) {
                throw unsupported(name + " is");
            }
        }
        try {
            return method.invoke(real, args);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private Object ofObject(Object proxy, String name, Object[] args) {
        if (name.equals("equals")) {
            return proxy == args[0];
        }
        return name.equals("hashCode") ? (Object) System.identityHashCode(proxy) : real.toString();
    }

    private static UnsupportedOperationException unsupported(String what) {
        return new UnsupportedOperationException(what + " not supported in this environment");
    }
}
