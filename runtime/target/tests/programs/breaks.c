/* Does as it is told, line by line, and counts what it does: for breakpoints. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEPT __attribute__((noinline, noclone))

extern char **environ;
static volatile long sink;
static atomic_long called;
volatile long watched;
volatile int small;

KEPT long step(long number, long thread) { sink = number; return number * 2 + thread; }
KEPT long other(long number) { sink = number; return number + 1; }
KEPT double half(double number) { sink = (long)number; return number / 2; }
KEPT long down(long n) { if (n == 0) return 0; long below = down(n - 1); return below + 1; }

/* Functions that begin with something that is not simple: a multiplication, and one that reads memory it may not. */
long multiply(long a, long b);
long peek(long *where);
__asm__(".text\n.globl multiply\n.type multiply, @function\nmultiply: imul %rsi, %rdi\nmov %rdi, %rax\nret\n.size multiply, . - multiply\n"
        ".globl peek\n.type peek, @function\npeek: mov (%rdi), %rax\nret\n.size peek, . - peek\n"
        ".globl pushes\n.type pushes, @function\npushes: push %rbp\nmov %rsp, %rbp\nmov %rdi, %rax\npop %rbp\nret\n.size pushes, . - pushes\n");
long pushes(long a);

static jmp_buf back;
KEPT long leap(long n) { if (n == 0) longjmp(back, 1); if (n < 0) return n; return leap(n - 1) + 1; }
/* A frame that outlives those that are left. */
KEPT long keep(long n) { volatile long kept = n; if (!setjmp(back)) leap(n); return kept + 1; }

KEPT long last(long n) { sink = n; return n + 7; }
static long (*volatile to_last)(long) = last;
__attribute__((optimize("optimize-sibling-calls"))) KEPT long first(long n) { sink = n; return to_last(n); }

static long each;

static void *work(void *number)
{
    for (long i = 0; i < each; i++) {
        step(i, (long)number);
        atomic_fetch_add(&called, 1);
    }
    return 0;
}

static void *write_it(void *unused)
{
    (void)unused;
    for (long i = 0; i < each; i++)
        watched = i;
    return 0;
}

static void *products(void *number)
{
    long sum = 0;
    for (long i = 0; i < each; i++)
        sum += multiply(i, (long)number);
    return (void *)sum;
}

static void *leave_early(void *unused)
{
    (void)unused;
    step(1, 2);
    pthread_exit((void *)5);
}

static long run(long count, void *(*what)(void *))
{
    pthread_t made[64];
    long sum = 0;
    for (long i = 0; i < count && i < 64; i++)
        pthread_create(&made[i], 0, what, (void *)i);
    for (long i = 0; i < count && i < 64; i++) {
        void *result;
        pthread_join(made[i], &result);
        sum += (long)result;
    }
    return sum;
}

static atomic_long caught;
static void count_signal(int number) { (void)number; atomic_fetch_add(&caught, 1); }

static atomic_int stop_load;
static atomic_long wrong;
static long last_wrong;
/* Calls that are checked, for as long as it takes. */
static void *load(void *number)
{
    long rounds = 0;
    while (!atomic_load(&stop_load)) {
        if (step(rounds, (long)number) != rounds * 2 + (long)number || other(rounds) != rounds + 1 || multiply(rounds, 3) != rounds * 3
            || pushes(rounds) != rounds || down(5) != 5)
            atomic_fetch_add(&wrong, 1);
        rounds++;
    }
    atomic_fetch_add(&called, rounds);
    return 0;
}
/* Waits in a call that a stop would end, for as long as it takes. */
static void *wait_load(void *unused)
{
    (void)unused;
    /* Of several threads that a signal wakes, one gets it, and the calls of the others fail: under every tracer that is so of
       signals that are ignored, too, as this one is. */
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &ends, 0);
    int set = epoll_create1(0);
    struct epoll_event event;
    while (!atomic_load(&stop_load))
        if (epoll_wait(set, &event, 1, 5) != 0) {
            atomic_fetch_add(&wrong, 1);
            last_wrong = -errno;
        }
    close(set);
    return 0;
}

/* Makes processes that run the same functions, for as long as it takes: plain ones, and ones in this memory. */
static void *fork_load(void *unused)
{
    (void)unused;
    for (long i = 0; !atomic_load(&stop_load); i++) {
        pid_t child = i % 2 ? fork() : vfork();
        if (child == 0)
            _exit(step(3, 4) != 10 || multiply(3, 4) != 12 || pushes(5) != 5);
        int status = 0;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        if (status != 0) {
            atomic_fetch_add(&wrong, 1);
            last_wrong = status | (i % 2 << 16);
        }
    }
    return 0;
}

static void *one_step(void *unused)
{
    (void)unused;
    if (step(3, 4) != 10)
        atomic_fetch_add(&wrong, 1);
    return 0;
}
/* Makes short threads, for as long as it takes. */
static void *thread_load(void *unused)
{
    (void)unused;
    while (!atomic_load(&stop_load)) {
        pthread_t made;
        if (pthread_create(&made, 0, one_step, 0) == 0)
            pthread_join(made, 0);
    }
    return 0;
}

/* Code of a file, as a library has it; what comes to be at its addresses when that is unmapped. */
#define PLUG 4096
static unsigned char *plug;
static long changed(void)
{
    long wrong = 0;
    for (long i = 0; i < PLUG; i++)
        wrong += plug[i] != 0xcc;
    return wrong;
}

/* Calls `step` from code that is made for it, and tells whether that code is what it was. */
static long made(unsigned char *code)
{
    static const unsigned char call[] = {0x48, 0x83, 0xec, 8, 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xd0, 0x48, 0x83, 0xc4, 8, 0xc3};
    unsigned char expected[sizeof call];
    long (*volatile to)(long, long) = step;
    memcpy(expected, call, sizeof call);
    memcpy(expected + 6, (void *)&to, 8);
    memcpy(code, expected, sizeof call);
    long result = ((long (*)(long, long))code)(3, 4);
    return result == 10 && !memcmp(code, expected, sizeof call);
}

/* Runs in the memory of its maker, and is reported as a fork. */
static int borrow(void *rounds)
{
    for (long i = 0; i < (long)rounds; i++)
        if (step(3, 4) != 10 || multiply(3, 4) != 12)
            return 9;
    return 0;
}

static sigjmp_buf after_fault;
static void fault(int number) { (void)number; siglongjmp(after_fault, 1); }

int main(void)
{
    char line[256];
    pthread_t loads[8];
    int loaded = 0;
    setvbuf(stdout, 0, _IOLBF, 0);
    signal(SIGUSR1, count_signal);
    while (fgets(line, sizeof line, stdin)) {
        char word[32] = "", name[32] = "";
        long a = 0, b = 0;
        sscanf(line, "%31s %ld %ld", word, &a, &b);
        if (!strcmp(word, "where")) {
            sscanf(line, "%*s %31s", name);
            struct { const char *name; void *at; } all[] = {
                {"step", step}, {"other", other}, {"half", half}, {"down", down}, {"multiply", multiply}, {"peek", peek}, {"pushes", pushes},
                {"leap", leap}, {"keep", keep}, {"first", first}, {"last", last}, {"watched", (void *)&watched}, {"small", (void *)&small},
            };
            for (size_t i = 0; i < sizeof all / sizeof *all; i++)
                if (!strcmp(name, all[i].name))
                    printf("%p\n", all[i].at);
        } else if (!strcmp(word, "work")) {
            each = b;
            atomic_store(&called, 0);
            run(a, work);
            printf("%ld\n", atomic_load(&called));
        } else if (!strcmp(word, "calls")) {
            for (long i = 0; i < a; i++)
                step(i, -1);
            printf("%ld\n", a);
        } else if (!strcmp(word, "others")) {
            long sum = 0;
            for (long i = 0; i < a; i++)
                sum += other(i) + pushes(i) + multiply(i, 2);
            printf("%ld %g\n", sum, half(5));
        } else if (!strcmp(word, "products")) {
            each = b;
            printf("%ld\n", run(a, products));
        } else if (!strcmp(word, "down")) {
            printf("%ld\n", down(a));
        } else if (!strcmp(word, "leap")) {
            long n = 0;
            for (long i = 0; i < b; i++)
                n += keep(a);
            printf("%ld\n", n);
        } else if (!strcmp(word, "tail")) {
            long n = 0;
            for (long i = 0; i < a; i++)
                n += first(i);
            printf("%ld\n", n);
        } else if (!strcmp(word, "write")) {
            each = b;
            run(a, write_it);
            small = (int)watched;
            printf("%ld\n", a * b);
        } else if (!strcmp(word, "early")) {
            printf("%ld\n", run(a, leave_early));
        } else if (!strcmp(word, "fork")) {
            pid_t child = fork();
            if (child == 0) {
                long sum = 0;
                for (long i = 0; i < a; i++)
                    sum += step(i, 0) + multiply(i, 1) - 3 * i;
                _exit(sum == 0 ? 7 : 8);
            }
            int status;
            waitpid(child, &status, 0);
            printf("%d\n", status);
        } else if (!strcmp(word, "vfork")) {
            int status = 0;
            for (long i = 0; i < a && status == 0; i++) {
                pid_t child = vfork();
                if (child == 0) {
                    /* In the memory of its maker. */
                    if (step(3, 4) != 10 || multiply(3, 4) != 12)
                        _exit(9);
                    execl("/bin/true", "true", (char *)0);
                    _exit(1);
                }
                waitpid(child, &status, 0);
            }
            printf("%d\n", status);
        } else if (!strcmp(word, "spawn")) {
            int status = 0;
            for (long i = 0; i < a && status == 0; i++) {
                pid_t child;
                char *arguments[] = {"true", 0};
                posix_spawn(&child, "/bin/true", 0, 0, arguments, environ);
                waitpid(child, &status, 0);
            }
            printf("%d\n", status);
        } else if (!strcmp(word, "signals")) {
            /* A process of its own sends them, one after the other was seen. */
            atomic_store(&caught, 0);
            long calls = 0;
            pid_t target = getpid(), child = fork();
            if (child == 0) {
                for (long i = 0; i < a; i++) {
                    kill(target, SIGUSR1);
                    for (int k = 0; k < 50; k++)
                        sched_yield();
                }
                _exit(0);
            }
            int status;
            while (waitpid(child, &status, WNOHANG) == 0) {
                step(calls, 0);
                multiply(calls, 2);
                calls++;
            }
            printf("%ld %ld\n", atomic_load(&caught), calls);
        } else if (!strcmp(word, "raise")) {
            atomic_store(&caught, 0);
            for (long i = 0; i < a; i++)
                raise(SIGUSR1);
            printf("%ld\n", atomic_load(&caught));
        } else if (!strcmp(word, "fault")) {
            signal(SIGSEGV, fault);
            long seen = 0;
            for (long i = 0; i < a; i++)
                if (sigsetjmp(after_fault, 1))
                    seen++;
                else
                    peek((long *)8);
            long value = 31;
            printf("%ld %ld\n", seen, peek(&value));
        } else if (!strcmp(word, "trap")) {
            signal(SIGTRAP, count_signal);
            atomic_store(&caught, 0);
            for (long i = 0; i < a; i++) {
                __asm__ volatile("int3");
                raise(SIGTRAP);
            }
            printf("%ld\n", atomic_load(&caught));
            signal(SIGTRAP, SIG_DFL);
        } else if (!strcmp(word, "load") || !strcmp(word, "threads")) {
            int threads = !strcmp(word, "threads");
            atomic_store(&stop_load, 0);
            atomic_store(&called, 0);
            for (loaded = 0; loaded < a && loaded < 8; loaded++)
                pthread_create(&loads[loaded], 0, threads ? thread_load : loaded == 0 ? wait_load : loaded == 1 ? fork_load : load,
                               (void *)(long)loaded);
            printf("loaded\n");
        } else if (!strcmp(word, "unload")) {
            atomic_store(&stop_load, 1);
            for (int i = 0; i < loaded; i++)
                pthread_join(loads[i], 0);
            printf("%ld %ld %#lx\n", atomic_load(&wrong), atomic_load(&called), last_wrong);
            loaded = 0;
        } else if (!strcmp(word, "share")) {
            /* Instructions that do nothing, in memory that a child would have as well. */
            unsigned char *shared = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
            memset(shared, 0x90, 8);
            printf("%p\n", (void *)shared);
        } else if (!strcmp(word, "plug") || !strcmp(word, "replug")) {
            static FILE *file;
            int again = file != 0;
            if (!again) {
                file = tmpfile();
                for (int i = 0; i < PLUG; i++)
                    fputc(i % 2 ? 0xc3 : 0x90, file);
                fflush(file);
            } else
                munmap(plug, PLUG);
            plug = mmap(plug, PLUG, PROT_READ | PROT_EXEC, MAP_PRIVATE | (again ? MAP_FIXED : 0), fileno(file), 0);
            printf("%p\n", (void *)plug);
        } else if (!strcmp(word, "unplug")) {
            mmap(plug, PLUG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            memset(plug, 0xcc, PLUG);
            pid_t child = fork();
            if (child == 0)
                _exit(changed() != 0);
            int status;
            waitpid(child, &status, 0);
            printf("%d\n", status);
        } else if (!strcmp(word, "changed")) {
            printf("%ld\n", changed());
        } else if (!strcmp(word, "made")) {
            unsigned char *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            long right = 0;
            for (long i = 0; i < a && i < 64; i++)
                right += made(code + 64 * i);
            printf("%ld\n", right);
        } else if (!strcmp(word, "borrow")) {
            static char stack[1 << 16] __attribute__((aligned(16)));
            int status = 0;
            pid_t child = clone(borrow, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)a);
            waitpid(child, &status, 0);
            printf("%d\n", status);
        } else if (!strcmp(word, "halts")) {
            /* A process of its own stops and continues this one. */
            long calls = 0;
            pid_t target = getpid(), child = fork();
            if (child == 0) {
                for (long i = 0; i < a; i++) {
                    kill(target, SIGSTOP);
                    for (int k = 0; k < i % 20; k++)
                        sched_yield();
                    kill(target, SIGCONT);
                    for (int k = 0; k < 20; k++)
                        sched_yield();
                }
                _exit(0);
            }
            int status;
            while (waitpid(child, &status, WNOHANG) == 0) {
                multiply(calls, 2);
                calls++;
            }
            printf("%d %ld\n", status, calls);
        } else if (!strcmp(word, "exec")) {
            step(1, 1);
            execl("/bin/cat", "cat", (char *)0);
        } else if (!strcmp(word, "exit")) {
            exit((int)a);
        } else {
            printf("?\n");
        }
    }
    return 0;
}
