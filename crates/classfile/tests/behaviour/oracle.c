/* What the JVM itself says happens in the classes of package golden: entries with arguments, returns with results, calls
   by pc, exceptions. It is the truth that woven probes are compared with, so it knows nothing of weaving: method events,
   exception events, and a breakpoint on each invoke instruction and on the one behind it.

   Option: the file to write. Only the thread that starts the JVM is followed. */
#include <jvmti.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    jmethodID id;
    int golden;
    int is_static;
    int marker;
    char *name;             /* golden/X.method(I)J */
    char *descriptor;
    unsigned char *code;
    jint code_length;
} Method;

typedef struct {
    Method *method;
    jlocation pending;      /* pc of a call that has not returned */
} Frame;

#define METHODS (1 << 18)
#define FRAMES 4096
#define IN_FLIGHT 64
static Method methods[METHODS];
static Frame frames[FRAMES];
static int depth;
static char in_flight[IN_FLIGHT][256];
static int flying;
static FILE *out;

static void fail(const char *what, int code) {
    fprintf(stderr, "oracle: %s: %d\n", what, code);
    exit(97);
}

static void must(jvmtiError code, const char *what) {
    if (code != JVMTI_ERROR_NONE) fail(what, code);
}

/* A class as Class.getName() says it, without what is generated for a lambda. */
static void class_name(jvmtiEnv *ti, jclass class, char *to) {
    char *signature;
    must((*ti)->GetClassSignature(ti, class, &signature, NULL), "GetClassSignature");
    const char *from = signature;
    size_t length = strlen(from);
    if (*from == 'L') { from++; length -= 2; }
    if (length > 255) length = 255;
    memcpy(to, from, length);
    to[length] = 0;
    char *generated = strstr(to, "$$Lambda");
    if (generated) *generated = 0;
    for (char *at = to; *at; at++) if (*at == '/') *at = '.';
    (*ti)->Deallocate(ti, (unsigned char *)signature);
}

static void print_object(jvmtiEnv *ti, JNIEnv *jni, jobject object) {
    if (!object) { fputs("null", out); return; }
    char name[256];
    jclass class = (*jni)->GetObjectClass(jni, object);
    class_name(ti, class, name);
    fputs(name, out);
    if (strcmp(name, "java.lang.String") == 0) {
        jsize length = (*jni)->GetStringLength(jni, object);
        const jchar *text = (*jni)->GetStringChars(jni, object, NULL);
        fputs(":", out);
        for (jsize i = 0; i < length && i < 40; i++)
            fputc(text[i] >= 32 && text[i] < 127 ? (char)text[i] : '?', out);
        (*jni)->ReleaseStringChars(jni, object, text);
    }
    (*jni)->DeleteLocalRef(jni, class);
}

static void print_value(jvmtiEnv *ti, JNIEnv *jni, char type, jvalue value) {
    unsigned int narrow;
    unsigned long long wide;
    switch (type) {
        case 'Z': fputs(value.z ? "true" : "false", out); break;
        case 'B': fprintf(out, "%d", value.b); break;
        case 'S': fprintf(out, "%d", value.s); break;
        case 'C': fprintf(out, "%d", value.c); break;
        case 'I': fprintf(out, "%d", value.i); break;
        case 'J': fprintf(out, "%lld", (long long)value.j); break;
        case 'F': memcpy(&narrow, &value.f, 4); fprintf(out, "0x%x", narrow); break;
        case 'D': memcpy(&wide, &value.d, 8); fprintf(out, "0x%llx", wide); break;
        case 'V': fputs("void", out); break;
        default: print_object(ti, jni, value.l);
    }
}

static Method *look_up(jvmtiEnv *ti, JNIEnv *jni, jmethodID id) {
    size_t at = ((size_t)id >> 3) * 0x9e3779b97f4a7c15ull >> 46;
    while (methods[at].id && methods[at].id != id) at = (at + 1) % METHODS;
    Method *method = &methods[at];
    if (method->id) return method;
    method->id = id;
    jclass class;
    char *signature, *name, *descriptor;
    jint modifiers;
    must((*ti)->GetMethodDeclaringClass(ti, id, &class), "GetMethodDeclaringClass");
    must((*ti)->GetClassSignature(ti, class, &signature, NULL), "GetClassSignature");
    (*jni)->DeleteLocalRef(jni, class);
    int golden = strncmp(signature, "Lgolden/", 8) == 0 && !strstr(signature, "$$");
    int harness = strcmp(signature, "Lprobe/Run;") == 0;
    if (golden || harness) {
        must((*ti)->GetMethodName(ti, id, &name, &descriptor, NULL), "GetMethodName");
        must((*ti)->GetMethodModifiers(ti, id, &modifiers), "GetMethodModifiers");
        method->marker = harness && strcmp(name, "begin") == 0;
        method->golden = golden && !(modifiers & 0x0100);
        method->is_static = (modifiers & 8) != 0;
        method->name = malloc(strlen(signature) + strlen(name) + strlen(descriptor) + 2);
        size_t length = strlen(signature) - 2;
        memcpy(method->name, signature + 1, length);
        sprintf(method->name + length, ".%s%s", name, descriptor);
        method->descriptor = strdup(descriptor);
        (*ti)->Deallocate(ti, (unsigned char *)name);
        (*ti)->Deallocate(ti, (unsigned char *)descriptor);
        if (method->golden && !(modifiers & 0x0400))
            must((*ti)->GetBytecodes(ti, id, &method->code_length, &method->code), "GetBytecodes");
    }
    (*ti)->Deallocate(ti, (unsigned char *)signature);
    return method;
}

static Frame *top(Method *method, const char *what) {
    if (depth == 0 || frames[depth - 1].method != method) {
        fprintf(stderr, "oracle: %s of %s, which is not on top\n", what, method->name);
        exit(97);
    }
    return &frames[depth - 1];
}

static void arguments(jvmtiEnv *ti, JNIEnv *jni, jthread thread, Method *method) {
    int slot = 0, number = 0;
    jvalue value;
    if (!method->is_static) {
        must((*ti)->GetLocalObject(ti, thread, 0, slot++, &value.l), "GetLocalObject");
        fputs("this ", out);
        print_object(ti, jni, value.l);
        fputc('\n', out);
        (*jni)->DeleteLocalRef(jni, value.l);
    }
    for (const char *at = method->descriptor + 1; *at != ')'; at++) {
        char type = *at;
        jint narrow = 0;
        memset(&value, 0, sizeof value);
        while (*at == '[') at++;
        if (*at == 'L') at = strchr(at, ';');
        switch (type) {
            case 'J': must((*ti)->GetLocalLong(ti, thread, 0, slot++, &value.j), "GetLocalLong"); break;
            case 'D': must((*ti)->GetLocalDouble(ti, thread, 0, slot++, &value.d), "GetLocalDouble"); break;
            case 'F': must((*ti)->GetLocalFloat(ti, thread, 0, slot, &value.f), "GetLocalFloat"); break;
            case 'L': case '[':
                must((*ti)->GetLocalObject(ti, thread, 0, slot, &value.l), "GetLocalObject"); break;
            default: must((*ti)->GetLocalInt(ti, thread, 0, slot, &narrow), "GetLocalInt");
        }
        switch (type) {
            case 'Z': value.z = (jboolean)narrow; break;
            case 'B': value.b = (jbyte)narrow; break;
            case 'S': value.s = (jshort)narrow; break;
            case 'C': value.c = (jchar)narrow; break;
            case 'I': value.i = narrow; break;
        }
        slot++;
        fprintf(out, "argument %d ", number++);
        print_value(ti, jni, type, value);
        fputc('\n', out);
        if (type == 'L' || type == '[') (*jni)->DeleteLocalRef(jni, value.l);
    }
}

static void JNICALL entered(jvmtiEnv *ti, JNIEnv *jni, jthread thread, jmethodID id) {
    Method *method = look_up(ti, jni, id);
    if (method->marker) {
        jobject name;
        must((*ti)->GetLocalObject(ti, thread, 0, 0, &name), "GetLocalObject");
        const char *text = (*jni)->GetStringUTFChars(jni, name, NULL);
        fprintf(out, "program %s\n", text);
        fflush(out);
        (*jni)->ReleaseStringUTFChars(jni, name, text);
    }
    if (!method->golden) return;
    if (depth == FRAMES) fail("too deep", depth);
    frames[depth].method = method;
    frames[depth++].pending = -1;
    fprintf(out, "enter %s\n", method->name);
    arguments(ti, jni, thread, method);
}

static void JNICALL left(jvmtiEnv *ti, JNIEnv *jni, jthread thread, jmethodID id, jboolean popped, jvalue value) {
    Method *method = look_up(ti, jni, id);
    if (!method->golden) return;
    Frame *frame = top(method, "exit");
    const char *exception = flying ? in_flight[flying - 1] : "nothing";
    if (popped) {
        if (frame->pending >= 0)
            fprintf(out, "fail %s@%d %s\n", method->name, (int)frame->pending, exception);
        fprintf(out, "throw %s %s\n", method->name, exception);
    } else {
        fprintf(out, "leave %s ", method->name);
        print_value(ti, jni, strchr(method->descriptor, ')')[1], value);
        fputc('\n', out);
    }
    depth--;
}

static void JNICALL thrown(jvmtiEnv *ti, JNIEnv *jni, jthread thread, jmethodID id, jlocation at, jobject exception,
                           jmethodID catcher, jlocation catch_at) {
    if (flying == IN_FLIGHT) {
        memmove(in_flight[0], in_flight[1], sizeof in_flight - sizeof in_flight[0]);
        flying--;
    }
    jclass class = (*jni)->GetObjectClass(jni, exception);
    class_name(ti, class, in_flight[flying++]);
    (*jni)->DeleteLocalRef(jni, class);
}

static void JNICALL caught(jvmtiEnv *ti, JNIEnv *jni, jthread thread, jmethodID id, jlocation at, jobject exception) {
    Method *method = look_up(ti, jni, id);
    const char *name = flying ? in_flight[--flying] : "nothing";
    if (!method->golden) return;
    Frame *frame = top(method, "catch");
    if (frame->pending >= 0) fprintf(out, "fail %s@%d %s\n", method->name, (int)frame->pending, name);
    frame->pending = -1;
}

static void JNICALL reached(jvmtiEnv *ti, JNIEnv *jni, jthread thread, jmethodID id, jlocation at) {
    Method *method = look_up(ti, jni, id);
    Frame *frame = top(method, "breakpoint");
    if (frame->pending >= 0) fprintf(out, "back %s@%d\n", method->name, (int)frame->pending);
    frame->pending = -1;
    unsigned char opcode = method->code[at];
    if (opcode >= 182 && opcode <= 185) {
        fprintf(out, "call %s@%d\n", method->name, (int)at);
        frame->pending = at;
    }
}

static jint u4(const unsigned char *at) {
    return (jint)((unsigned)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]);
}

static jint length_of(const unsigned char *code, jint pc) {
    unsigned char opcode = code[pc];
    jint padded = (pc + 4) & ~3;
    if (opcode == 170) return padded + 12 + 4 * (u4(code + padded + 8) - u4(code + padded + 4) + 1) - pc;
    if (opcode == 171) return padded + 8 + 8 * u4(code + padded + 4) - pc;
    if (opcode == 196) return code[pc + 1] == 132 ? 6 : 4;
    if (opcode == 16 || opcode == 18 || (opcode >= 21 && opcode <= 25) || (opcode >= 54 && opcode <= 58) ||
        opcode == 169 || opcode == 188) return 2;
    if (opcode == 17 || opcode == 19 || opcode == 20 || opcode == 132 || (opcode >= 153 && opcode <= 168) ||
        (opcode >= 178 && opcode <= 184) || opcode == 187 || opcode == 189 || opcode == 192 || opcode == 193 ||
        opcode == 198 || opcode == 199) return 3;
    if (opcode == 197) return 4;
    if (opcode == 185 || opcode == 186 || opcode == 200 || opcode == 201) return 5;
    return 1;
}

static void breakpoint(jvmtiEnv *ti, jmethodID id, jlocation at) {
    jvmtiError code = (*ti)->SetBreakpoint(ti, id, at);
    if (code != JVMTI_ERROR_DUPLICATE) must(code, "SetBreakpoint");
}

static void JNICALL prepared(jvmtiEnv *ti, JNIEnv *jni, jthread thread, jclass class) {
    jint count;
    jmethodID *ids;
    char name[256];
    class_name(ti, class, name);
    if (strncmp(name, "golden.", 7) != 0) return;
    must((*ti)->GetClassMethods(ti, class, &count, &ids), "GetClassMethods");
    for (jint i = 0; i < count; i++) {
        Method *method = look_up(ti, jni, ids[i]);
        if (!method->golden || !method->code) continue;
        for (jint pc = 0; pc < method->code_length; pc += length_of(method->code, pc)) {
            if (method->code[pc] < 182 || method->code[pc] > 185) continue;
            breakpoint(ti, ids[i], pc);
            breakpoint(ti, ids[i], pc + length_of(method->code, pc));
        }
    }
    (*ti)->Deallocate(ti, (unsigned char *)ids);
}

static void JNICALL started(jvmtiEnv *ti, JNIEnv *jni, jthread thread) {
    jvmtiEvent events[] = { JVMTI_EVENT_CLASS_PREPARE, JVMTI_EVENT_METHOD_ENTRY, JVMTI_EVENT_METHOD_EXIT,
        JVMTI_EVENT_EXCEPTION, JVMTI_EVENT_EXCEPTION_CATCH, JVMTI_EVENT_BREAKPOINT };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        must((*ti)->SetEventNotificationMode(ti, JVMTI_ENABLE, events[i], thread), "SetEventNotificationMode");
}

static void JNICALL ended(jvmtiEnv *ti, JNIEnv *jni) {
    jvmtiEvent events[] = { JVMTI_EVENT_CLASS_PREPARE, JVMTI_EVENT_METHOD_ENTRY, JVMTI_EVENT_METHOD_EXIT,
        JVMTI_EVENT_EXCEPTION, JVMTI_EVENT_EXCEPTION_CATCH, JVMTI_EVENT_BREAKPOINT };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        (*ti)->SetEventNotificationMode(ti, JVMTI_DISABLE, events[i], NULL);
    fflush(out);
}

JNIEXPORT jint JNICALL Agent_OnLoad(JavaVM *vm, char *options, void *reserved) {
    jvmtiEnv *ti;
    if ((*vm)->GetEnv(vm, (void **)&ti, JVMTI_VERSION_1_2) != JNI_OK) return 1;
    out = fopen(options, "w");
    if (!out) return 2;
    jvmtiCapabilities wanted;
    memset(&wanted, 0, sizeof wanted);
    wanted.can_generate_method_entry_events = 1;
    wanted.can_generate_method_exit_events = 1;
    wanted.can_generate_exception_events = 1;
    wanted.can_generate_breakpoint_events = 1;
    wanted.can_access_local_variables = 1;
    wanted.can_get_bytecodes = 1;
    must((*ti)->AddCapabilities(ti, &wanted), "AddCapabilities");
    jvmtiEventCallbacks callbacks;
    memset(&callbacks, 0, sizeof callbacks);
    callbacks.VMInit = started;
    callbacks.VMDeath = ended;
    callbacks.ClassPrepare = prepared;
    callbacks.MethodEntry = entered;
    callbacks.MethodExit = left;
    callbacks.Exception = thrown;
    callbacks.ExceptionCatch = caught;
    callbacks.Breakpoint = reached;
    must((*ti)->SetEventCallbacks(ti, &callbacks, sizeof callbacks), "SetEventCallbacks");
    must((*ti)->SetEventNotificationMode(ti, JVMTI_ENABLE, JVMTI_EVENT_VM_INIT, NULL), "SetEventNotificationMode");
    must((*ti)->SetEventNotificationMode(ti, JVMTI_ENABLE, JVMTI_EVENT_VM_DEATH, NULL), "SetEventNotificationMode");
    return 0;
}
