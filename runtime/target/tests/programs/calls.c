/* Calls functions as it is told, line by line, and says what it did. */
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The functions begin with a nop, which the kernel need not step over. */
#define PROBED __attribute__((noinline, noclone, patchable_function_entry(1, 0)))

struct item {
    long number;
    const char *name;
    struct item *next;
    unsigned short small;
    signed char tiny;
};

struct piece {
    unsigned long length;
    const char *data;
};

static volatile long sink;

PROBED long step(long number, long thread) { sink = number; return number * 2 + thread; }
PROBED long six(long a, int b, unsigned char c, long d, long e, long f) { sink = a; return a + b + c + d + e - f; }
PROBED long down(long n) { if (n == 0) return 0; long below = down(n - 1); return below + 1; }
PROBED long see(struct item *item, const char *text) { sink = (long)item; return text != 0; }
PROBED long measure(struct piece *piece) { sink = (long)piece; return piece != 0; }
PROBED void take(unsigned long size) { sink = (long)size; }
PROBED long fill(char *to, long n) { memset(to, 'x', n); to[n] = 0; return n; }
PROBED long divide(long a, long b) { sink = a; return b ? a / b : 0; }

static jmp_buf back;
PROBED long leap(long n) { if (n == 0) longjmp(back, 1); if (n < 0) return n; return leap(n - 1) + 1; }

long tail(long n);
static long (*volatile tail_again)(long) = tail;
__attribute__((optimize("optimize-sibling-calls"))) PROBED long tail(long n) { sink = n; if (n <= 0) return 42; return tail_again(n - 1); }

/* An instruction that the kernel refuses to probe, never run. */
__asm__(".text\n.globl refused\n.type refused, @function\nrefused: hlt\nret\n.size refused, . - refused\n");

/* What a static probe has beside it: while it is not 0, somebody looks. */
__attribute__((section(".probes"))) volatile unsigned short semaphore = 0;

static long calls;

static void *work(void *number)
{
    for (long i = 0; i < calls; i++)
        step(i, (long)number);
    return 0;
}

static void *see_self(void *unused)
{
    (void)unused;
    see((struct item *)(uintptr_t)pthread_self(), "self");
    return 0;
}

/* Runs this program anew, though it is not the thread that leads. */
static void *run_again(void *unused)
{
    (void)unused;
    execl("/proc/self/exe", "again", (char *)0);
    return 0;
}

static void threads(long count)
{
    pthread_t made[64];
    for (long i = 0; i < count; i++)
        pthread_create(&made[i], 0, work, (void *)i);
    for (long i = 0; i < count; i++)
        pthread_join(made[i], 0);
}

int main(void)
{
    char line[256];
    long page = sysconf(_SC_PAGESIZE);
    char *edge = mmap(0, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(edge + page, page);
    setvbuf(stdout, 0, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        char word[32] = "";
        long a = 0, b = 0;
        sscanf(line, "%31s %ld %ld", word, &a, &b);
        if (!strcmp(word, "work")) {
            calls = b;
            threads(a);
            printf("%ld\n", a * b);
        } else if (!strcmp(word, "six")) {
            printf("%ld\n", six(a, -2, 200, b, 5, 6));
        } else if (!strcmp(word, "down")) {
            printf("%ld\n", down(a));
        } else if (!strcmp(word, "leap")) {
            long n = setjmp(back) ? -1 : leap(a);
            printf("%ld\n", n);
        } else if (!strcmp(word, "tail")) {
            printf("%ld\n", tail(a));
        } else if (!strcmp(word, "see")) {
            struct item last = {7, "last", 0, 65535, -3};
            struct item first = {-6, "first", &last, 1, 2};
            strcpy(edge + page - 6, "edge!");
            see(&first, "a string that is a little longer than the others");
            see(&last, edge + page - 6);
            memset(edge + page - 6, 'y', 6);
            see(0, edge + page - 6);
            see((struct item *)8, 0);
            printf("seen\n");
        } else if (!strcmp(word, "measure")) {
            /* Three pages, and none behind them. */
            char *text = mmap(0, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            char *end = text + 3 * page;
            munmap(end, page);
            for (long i = 0; i < 3 * page; i++)
                text[i] = 'a' + i % 26;
            struct piece pieces[] = {
                {100, text + 10},    {0, text + 10},       {0, 0},
                {5000, text + 10},   {50, end - 50},       {51, end - 50},
                {-1ul, text},        {-1ul, end - page - 1}, {1ul << 63, end - page},
                {20, end},
            };
            for (unsigned i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
                measure(&pieces[i]);
            measure(0);
            printf("measured\n");
        } else if (!strcmp(word, "self")) {
            pthread_t other;
            see((struct item *)(uintptr_t)pthread_self(), "self");
            pthread_create(&other, 0, see_self, 0);
            pthread_join(other, 0);
            printf("self\n");
        } else if (!strcmp(word, "take")) {
            unsigned long sum = 0;
            for (long i = 0; i < a; i++) {
                unsigned long size = (unsigned long)(i % 100) * 16 + (i % 1000 == 0 ? 500000 : 0);
                take(size);
                sum += size;
            }
            printf("%lu\n", sum);
        } else if (!strcmp(word, "semaphore")) {
            printf("%d\n", semaphore);
        } else if (!strcmp(word, "fill")) {
            char buffer[200] = "before";
            printf("%ld\n", fill(buffer, a));
        } else if (!strcmp(word, "divide")) {
            printf("%ld\n", divide(a, b));
        } else if (!strcmp(word, "touch")) {
            char *memory = mmap(0, a * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            madvise(memory, a * page, MADV_NOHUGEPAGE);
            for (long i = 0; i < a; i++)
                memory[i * page] = 1;
            munmap(memory, a * page);
            printf("touched\n");
        } else if (!strcmp(word, "spin")) {
            struct timespec now;
            do {
                for (int i = 0; i < 100000; i++)
                    sink = i;
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
            } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < a);
            printf("spun\n");
        } else if (!strcmp(word, "again")) {
            pthread_t other;
            pthread_create(&other, 0, run_again, 0);
            pthread_join(other, 0);
            printf("failed\n");
        } else if (!strcmp(word, "fork")) {
            pid_t child = fork();
            if (child == 0) {
                for (long i = 0; i < a; i++)
                    step(i, 99);
                _exit(0);
            }
            waitpid(child, 0, 0);
            printf("forked\n");
        } else {
            printf("?\n");
        }
    }
    return 0;
}
