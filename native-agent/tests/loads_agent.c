/* A process with an agent in it, and no JVM: for a libc of which no JVM is here.
 *
 * loads_agent LIBRARY OPTIONS: loads the library, calls its Agent_OnAttach as a JVM would, and prints the code. Its JavaVM
 * has no JVMTI and knows no thread. What it uses of the libc is declared here: the headers of a second libc are not needed. */

void *dlopen(const char *, int);
void *dlsym(void *, const char *);
char *dlerror(void);
int printf(const char *, ...);

#define RTLD_LAZY 1
#define JNI_EDETACHED (-2)
#define JNI_EVERSION (-3)
#define JVMTI_VERSION 0x30000000

typedef int (*on_attach)(void *vm, char *options, void *reserved);

static int get_env(void *vm, void **env, int version) {
    (void)vm;
    *env = 0;
    return (version & JVMTI_VERSION) == JVMTI_VERSION ? JNI_EVERSION : JNI_EDETACHED;
}

static int refuse(void) {
    return JNI_EVERSION;
}

int main(int argc, char **argv) {
    /* Three reserved, then DestroyJavaVM, AttachCurrentThread, DetachCurrentThread, GetEnv, AttachCurrentThreadAsDaemon. */
    void *functions[] = {0, 0, 0, refuse, refuse, refuse, get_env, refuse};
    void *vm = functions;
    if (argc != 3) {
        return 2;
    }
    void *library = dlopen(argv[1], RTLD_LAZY);
    on_attach attach = library ? (on_attach)dlsym(library, "Agent_OnAttach") : 0;
    if (!attach) {
        printf("%s\n", dlerror());
        return 1;
    }
    printf("%d\n", attach(&vm, argv[2], 0));
    return 0;
}
