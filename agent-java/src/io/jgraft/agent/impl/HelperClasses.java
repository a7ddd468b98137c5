// Defines new classes that a patch needs, in the loader of a class that is patched. What is defined stays: the JVM has no
// way to take a class out of a loader.
package io.jgraft.agent.impl;

import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.security.ProtectionDomain;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

final class HelperClasses {
    private HelperClasses() {
    }

    /** One that a patch has defined before from the same bytes is taken as it is: then the answer is false. */
    static boolean define(PatchPlan.Helper helper, PatchState state, Instrumentation inst) throws PatchFailure {
        String name = helper.name;
        ClassLoader loader = helper.loader;
        if (loader == null) {
            throw new PatchFailure("define", name + " cannot be defined: " + helper.beside
                    + " is of the boot loader, in which no class can be defined from here");
        }
        ProtectionDomain origin = helper.origin;
        for (Class<?> c : inst.getAllLoadedClasses()) {
            if (c.getClassLoader() != loader) {
                continue;
            }
            if (c.getName().equals(name)) {
                if (Arrays.equals(helper.bytes, state.helper(c))) {
                    return false;
                }
                throw new PatchFailure("define", name + " is loaded already by the loader of " + helper.beside);
            }
            if (origin == null && !c.isArray() && packageOf(c.getName()).equals(packageOf(name))) {
                origin = c.getProtectionDomain();
            }
        }
        try {
            Class<?> c = (Class<?>) defineClass(inst)
                    .invoke(loader, name, helper.bytes, 0, helper.bytes.length, origin);
            state.addHelper(c, helper.bytes);
            return true;
        } catch (InvocationTargetException e) {
            throw refused(name, e.getCause());
        } catch (Exception e) {
            throw refused(name, e);
        }
    }

    private static String packageOf(String name) {
        return name.substring(0, Math.max(name.lastIndexOf('.'), 0));
    }

    private static PatchFailure refused(String name, Throwable t) {
        return new PatchFailure("define", name + " cannot be defined: " + StackText.headline(t), t);
    }

    private static Method defineClass(Instrumentation inst) throws Exception {
        if (PatchState.javaVersion() > 8) {
            openJavaLang(inst);
        }
        Method method = ClassLoader.class.getDeclaredMethod("defineClass", String.class, byte[].class, int.class,
                int.class, ProtectionDomain.class);
        method.setAccessible(true);
        return method;
    }

    /** Opens java.lang to the module of this implementation and to nobody else. By reflection: this is compiled for 8. */
    private static void openJavaLang(Instrumentation inst) throws Exception {
        Class<?> moduleClass = Class.forName("java.lang.Module");
        Method getModule = Class.class.getMethod("getModule");
        Object ours = getModule.invoke(HelperClasses.class);
        Map<String, Set<Object>> opens = Collections.singletonMap("java.lang", Collections.singleton(ours));
        Instrumentation.class.getMethod("redefineModule", moduleClass, Set.class, Map.class, Map.class, Set.class,
                Map.class).invoke(inst, getModule.invoke(Object.class), Collections.emptySet(), Collections.emptyMap(),
                opens, Collections.emptySet(), Collections.emptyMap());
    }
}
