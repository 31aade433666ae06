// What the benchmark of events traces: functions that begin with an instruction that the kernel emulates, called in a loop; and a program
// that allocates all the time. Built with frame pointers, so that others can follow its stack as well.
//
// Commands on standard input; each is answered by a line:
//   calls N      calls `cheap` N times below 4 KiB of stack: nanoseconds of processor time a call
//   paced R S    calls it R times a second for S seconds: calls, seconds
//   deep R S     the same below some 2 KiB of stack, 20 calls deep
//   malloc N     allocates and frees N blocks, and uses each for a while: nanoseconds of processor time for a block
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALLED __attribute__((noipa))

/// Has a function begin with a push.
#define BEGIN __asm__ volatile("" ::: "rbx");

#define F(n) CALLED long many_##n(long a) { BEGIN return a + 1##n; }
#define F10(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7) F(n##8) F(n##9)
#define F100(n) F10(n##0) F10(n##1) F10(n##2) F10(n##3) F10(n##4) F10(n##5) F10(n##6) F10(n##7) F10(n##8) F10(n##9)
F100(0) F100(1) F100(2) F100(3) F100(4) F100(5) F100(6) F100(7) F100(8) F100(9)

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

CALLED long cheap(long n, long key)
{
    BEGIN
    return n + key;
}

CALLED double calls(long count)
{
    // Stack for a slice of it.
    char frames[4096];
    memset(frames, 1, sizeof frames);
    double begun = now(CLOCK_THREAD_CPUTIME_ID);
    long sum = 0;
    for (long i = 0; i < count; i++)
        sum += cheap(i, i & 7);
    double each = (now(CLOCK_THREAD_CPUTIME_ID) - begun) / (double)count;
    if (sum == 1)
        fwrite(frames, 1, sizeof frames, stderr);
    return each;
}

CALLED double paced(long rate, long seconds)
{
    const long slice = 250;
    double begun = now(CLOCK_MONOTONIC), each = 1e9 * (double)slice / (double)rate;
    long slices = rate * seconds / slice;
    for (long done = 0; done < slices; done++) {
        while (now(CLOCK_MONOTONIC) - begun < (double)done * each)
            ;
        for (long i = 0; i < slice; i++)
            cheap(done, i);
    }
    return (now(CLOCK_MONOTONIC) - begun) / 1e9;
}

CALLED double deep(long calls, long rate, long seconds)
{
    char frame[64];
    memset(frame, (int)calls, sizeof frame);
    double each = calls > 0 ? deep(calls - 1, rate, seconds) : paced(rate, seconds);
    __asm__ volatile("" :: "r"(frame) : "memory");
    return each;
}

#define LIVE 4096

CALLED static void *parse(size_t size) { return malloc(size); }
CALLED static void *copy(size_t size) { return malloc(size); }
CALLED static void *build(size_t size, unsigned kind) { return kind % 3 ? parse(size) : copy(size); }

CALLED double blocks(long count)
{
    static unsigned char *live[LIVE];
    unsigned long long seed = 0x9e3779b97f4a7c15ULL, sum = 0;
    double begun = now(CLOCK_THREAD_CPUTIME_ID);
    for (long i = 0; i < count; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        size_t size = 16 + (seed >> 40) % 240;
        unsigned slot = (unsigned)(seed >> 20) % LIVE;
        free(live[slot]);
        unsigned char *p = build(size, (unsigned)(seed >> 50));
        // What a program does with a block takes longer than to get it.
        memset(p, (int)i, size);
        for (int round = 0; round < 5; round++)
            for (size_t at = 0; at < size; at += 2)
                sum = sum * 31 + p[at];
        live[slot] = p;
    }
    double each = (now(CLOCK_THREAD_CPUTIME_ID) - begun) / (double)count;
    for (unsigned slot = 0; slot < LIVE; slot++) {
        free(live[slot]);
        live[slot] = NULL;
    }
    return sum == 1 ? 0 : each;
}

int main(void)
{
    char line[80], what[20];
    setvbuf(stdout, NULL, _IOLBF, 1024);
    puts("READY");
    while (fgets(line, sizeof line, stdin)) {
        long a = 0, b = 0;
        if (sscanf(line, "%19s %ld %ld", what, &a, &b) < 2)
            return 2;
        if (!strcmp(what, "calls"))
            printf("%.3f\n", calls(a));
        else if (!strcmp(what, "paced") || !strcmp(what, "deep")) {
            double seconds = deep(*what == 'd' ? 18 : 0, a, b);
            printf("%ld %.3f\n", a * b / 250 * 250, seconds);
        } else if (!strcmp(what, "malloc"))
            printf("%.3f\n", blocks(a));
        else
            return 2;
    }
    return 0;
}
