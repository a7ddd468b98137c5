// The verb load: starts a foreign agent as a plain `load instrument false JAR=OPTIONS` would, step for step and on the
// same thread, but says what went wrong instead of answering 100, 101 or 102. Not here: how each step is done.
package io.jgraft.agent.impl;

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.jar.JarFile;

final class SupervisedLoad {
    private SupervisedLoad() {
    }

    /** Never throws: whatever the agent throws, errors included, goes into the reply. */
    static Map<String, String> run(Properties request, Instrumentation inst) {
        Map<String, String> reply = new LinkedHashMap<String, String>();
        reply.put("outcome", "ok");
        reply.put("code", "0");
        reply.put("thread", Thread.currentThread().getName());
        try {
            String jar = request.getProperty("jar");
            if (jar == null || !new File(jar).isAbsolute()) {
                throw new LoadFailure(Stage.REQUEST, "the request's jar is not an absolute path: " + jar, null);
            }
            load(new File(jar), request.getProperty("options"), inst, reply);
        } catch (LoadFailure failure) {
            describe(failure, reply);
        } catch (Throwable ours) {
            describe(new LoadFailure(Stage.SUPERVISOR, StackText.headline(ours), ours), reply);
        }
        return reply;
    }

    // The order is libinstrument's.
    private static void load(File jar, String options, Instrumentation inst, Map<String, String> reply)
            throws LoadFailure {
        AgentManifest manifest = AgentManifest.read(jar);
        reply.put("agent.class", manifest.agentClass);
        appendToSystemClassPath(jar, inst);
        List<String> warnings = BootClassPath.append(manifest.bootClassPath, jar, inst);

        Class<?> agentClass = loadClass(manifest.agentClass, jar);
        String elsewhere = ClassOrigin.otherThan(jar, agentClass);
        if (elsewhere != null) {
            warnings.add(elsewhere);
        }
        for (int i = 0; i < warnings.size(); i++) {
            reply.put("warning." + (i + 1), warnings.get(i));
        }
        AgentMain agentMain = AgentMain.find(agentClass);
        reply.put("agent.method", agentMain.toString());
        agentMain.invoke(options, GrantedInstrumentation.of(inst, manifest));
    }

    private static void appendToSystemClassPath(File jar, Instrumentation inst) throws LoadFailure {
        try (JarFile file = new JarFile(jar)) {
            inst.appendToSystemClassLoaderSearch(file);
        } catch (Throwable t) {
            throw new LoadFailure(Stage.CLASS_PATH, jar + " cannot be appended to the system class path: "
                    + StackText.headline(t), t);
        }
    }

    private static Class<?> loadClass(String name, File jar) throws LoadFailure {
        try {
            return ClassLoader.getSystemClassLoader().loadClass(name);
        } catch (Throwable t) {
            throw new LoadFailure(Stage.CLASS, "the system class loader cannot load Agent-Class " + name + " of " + jar
                    + ": " + StackText.headline(t), t);
        }
    }

    private static void describe(LoadFailure failure, Map<String, String> reply) {
        reply.put("outcome", "failed");
        reply.put("stage", failure.stage.key);
        if (failure.stage.code == null) {
            reply.remove("code");
        } else {
            reply.put("code", failure.stage.code);
        }
        reply.put("message", failure.getMessage());
        Throwable cause = failure.getCause();
        if (cause != null) {
            reply.put("exception", cause.getClass().getName());
            reply.put("stack", StackText.of(cause));
        }
    }
}
