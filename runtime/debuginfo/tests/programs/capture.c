/* Captures the stacks of the program that it is loaded into (or linked with), as a probe would, and tells what the C++ runtime's
 * unwinder makes of each. The program is single-stepped by the trap flag; its every instruction can be a place of a stack.
 *
 * Written to what was standard error: records of a kind and a length (32 bits each) and that many bytes.
 *   1  the text of /proc/self/maps, whenever it has changed
 *   2  the vDSO: its address (64 bits), its bytes
 *   3  a stack: the instruction pointer, the 16 general registers by DWARF numbers, how many addresses the unwinder found (plus
 *      the highest bit where it crashed after them) and how many bytes were captured (64 bits each), the addresses, the bytes
 *      from the stack pointer upwards
 *   4  how many stacks were captured in all: the end
 *
 * CAPTURE_MOST: how many stacks, after which the program exits; CAPTURE_EVERY: one in so many instructions, about. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/ucontext.h>
#include <unistd.h>
#include <unwind.h>

#define MOST_FRAMES 1000
#define MOST_BYTES 16384
#define TRAP_FLAG 0x100
#define CRASHED (1ull << 63)

struct record {
    uint32_t kind, length;
    uint64_t words[1 + 16 + 2 + MOST_FRAMES + MOST_BYTES / 8];
};

static struct record record;
static int out = -1;
static volatile char busy;
static uint64_t page, most, every, seed, captured;
static uint64_t wait_for = 1;

static void put(const void *bytes, size_t length)
{
    for (const char *at = bytes; length > 0; ) {
        ssize_t done = syscall(SYS_write, out, at, length);
        if (done <= 0)
            _exit(99);
        at += done;
        length -= (size_t) done;
    }
}

static void put_maps(void)
{
    static char text[256 << 10];
    uint32_t head[2] = { 1, 0 };
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    ssize_t more;
    while ((more = read(file, text + head[1], sizeof text - head[1])) > 0)
        head[1] += (uint32_t) more;
    close(file);
    put(head, sizeof head);
    put(text, head[1]);
}

/* Copies what there is of some bytes, and says how many there are. */
static uint64_t copy(char *bytes, uint64_t address, uint64_t left)
{
    struct iovec to = { bytes, left };
    /* Page by page: a read ends where memory does. */
    struct iovec from[MOST_BYTES / 4096 + 1];
    unsigned long parts = 0;
    while (left > 0 && parts < sizeof from / sizeof *from) {
        uint64_t here = page - address % page;
        if (here > left)
            here = left;
        from[parts++] = (struct iovec) { (void *) address, here };
        address += here;
        left -= here;
    }
    long read = syscall(SYS_process_vm_readv, getpid(), &to, 1ul, from, parts, 0ul);
    return read > 0 ? (uint64_t) read : 0;
}

struct trace {
    uint64_t from;
    uint64_t *frames;
    uint64_t count;
};

static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *argument)
{
    struct trace *trace = argument;
    int before = 0;
    uint64_t address = _Unwind_GetIPInfo(context, &before);
    /* What the handler interrupted begins the stack. */
    if (trace->count == 0 && !(before && address == trace->from))
        return _URC_NO_REASON;
    if (address == 0 || trace->count == MOST_FRAMES)
        return _URC_END_OF_STACK;
    trace->frames[trace->count++] = address - !before;
    return _URC_NO_REASON;
}

static sigjmp_buf rescue;

static void faulted(int number)
{
    (void) number;
    siglongjmp(rescue, 1);
}

static void capture(const greg_t *registers)
{
    static const int order[16] = {
        REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
        REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
    };
    uint64_t *words = record.words;
    words[0] = (uint64_t) registers[REG_RIP];
    for (int number = 0; number < 16; number++)
        words[1 + number] = (uint64_t) registers[order[number]];
    struct trace trace = { words[0], words + 19, 0 };
    /* Compilers' tables are wrong for some instructions, and this unwinder trusts them. */
    volatile uint64_t crashed = 0;
    struct sigaction fault = { .sa_handler = faulted, .sa_flags = SA_NODEFER }, earlier;
    sigaction(SIGSEGV, &fault, &earlier);
    if (!sigsetjmp(rescue, 0))
        _Unwind_Backtrace(frame, &trace);
    else
        crashed = CRASHED;
    sigaction(SIGSEGV, &earlier, 0);
    char *bytes = (char *) (trace.frames + trace.count);
    words[17] = trace.count | crashed;
    words[18] = copy(bytes, (uint64_t) registers[REG_RSP], MOST_BYTES);
    record.kind = 3;
    record.length = (uint32_t) (8 * (19 + trace.count) + words[18]);
    put(&record, 8 + record.length);
}

/* The maps as they were said last, by a number that grows when the dynamic linker changes them. */
static unsigned long long maps_said;

static int adds(struct dl_phdr_info *info, size_t size, void *sum)
{
    (void) size;
    *(unsigned long long *) sum = info->dlpi_adds + info->dlpi_subs;
    return 1;
}

/* Says how many there were. */
static void end(void)
{
    if (out < 0)
        return;
    uint32_t head[2] = { 4, 8 };
    put(head, sizeof head);
    put(&captured, sizeof captured);
    out = -1;
}

static void step(int number, siginfo_t *info, void *context)
{
    (void) number, (void) info;
    greg_t *registers = ((ucontext_t *) context)->uc_mcontext.gregs;
    while (__atomic_test_and_set(&busy, __ATOMIC_ACQUIRE))
        ;
    if (captured >= most) {
        end();
        _exit(0);
    } else if (--wait_for == 0) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        wait_for = 1 + (seed >> 33) % (2 * every - 1);
        unsigned long long sum = 0;
        dl_iterate_phdr(adds, &sum);
        if (sum != maps_said) {
            put_maps();
            maps_said = sum;
        }
        capture(registers);
        captured++;
    }
    __atomic_clear(&busy, __ATOMIC_RELEASE);
}

void capture_on(void)
{
    if (out >= 0)
        __asm__ volatile("sub $128, %%rsp; pushf; orl $0x100, (%%rsp); popf; add $128, %%rsp" ::: "cc", "memory");
}

void capture_off(void)
{
    __asm__ volatile("sub $128, %%rsp; pushf; andl $~0x100, (%%rsp); popf; add $128, %%rsp" ::: "cc", "memory");
}

#ifndef ALONE
/* Signals are blocked while a thread is made, and a trap that is blocked ends the program. */
struct start {
    void *(*routine)(void *);
    void *argument;
};

static void *run(void *start)
{
    struct start own = *(struct start *) start;
    free(start);
    capture_on();
    void *result = own.routine(own.argument);
    capture_off();
    return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *), void *argument)
{
    capture_off();
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **) &real = dlsym(RTLD_NEXT, "pthread_create");
    struct start *start = malloc(sizeof *start);
    *start = (struct start) { routine, argument };
    int result = real(thread, attributes, run, start);
    capture_on();
    return result;
}
#endif

__attribute__((destructor)) static void last(void)
{
    capture_off();
    end();
}

__attribute__((constructor)) static void begin(void)
{
    const char *said = getenv("CAPTURE_MOST");
    if (!said)
        return;
    most = strtoull(said, 0, 10);
    said = getenv("CAPTURE_EVERY");
    every = said ? strtoull(said, 0, 10) : 1;
    if (every == 0)
        every = 1;
    unsetenv("CAPTURE_MOST");
    page = getauxval(AT_PAGESZ);
    out = fcntl(2, F_DUPFD_CLOEXEC, 200);
    int nothing = open("/dev/null", O_WRONLY);
    if (out < 0 || nothing < 0)
        _exit(98);
    dup2(nothing, 2);
    close(nothing);
    uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
    if (vdso) {
        static char bytes[MOST_BYTES];
        uint32_t head[2] = { 2, (uint32_t) (8 + copy(bytes, vdso, sizeof bytes)) };
        put(head, sizeof head);
        put(&vdso, sizeof vdso);
        put(bytes, head[1] - 8);
    }
    /* The unwinder reads its tables, so that nothing of that happens in the handler. */
    struct trace none = { 0, 0, 0 };
    _Unwind_Backtrace(frame, &none);
    maps_said = ~0ull;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = step;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigaction(SIGTRAP, &action, 0);
    capture_on();
}
