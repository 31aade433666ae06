/* Calls of every kind that C has, for stacks to be captured of. */
#define _GNU_SOURCE
#include <alloca.h>
#include <math.h>
#include <regex.h>
#include <search.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifndef ALONE
#include <pthread.h>
#endif

#define KEPT __attribute__((noinline, noclone))

__attribute__((weak)) void capture_on(void);

static volatile long sum;
static jmp_buf back;

/* Frames whose size is known when they run. */
KEPT static long variable(long count)
{
    char *room = alloca((size_t) count * 24 + 1);
    long lengths[count % 7 + 1];
    memset(room, (int) count, (size_t) count * 24 + 1);
    memset(lengths, 0, sizeof lengths);
    lengths[count % 7] = count > 0 ? variable(count - 1) : sum;
    return room[count] + lengths[count % 7];
}

/* Frames on a boundary of their own: the canonical frame address is a word of memory. */
KEPT static long aligned(long depth)
{
    _Alignas(64) volatile char room[192];
    room[depth % 192] = (char) depth;
    if (depth > 0)
        sum += aligned(depth - 1);
    return room[depth % 192] + ((uintptr_t) room % 64 ? 1000 : 0);
}

/* The same with a size known when it runs. */
KEPT static long aligned_variable(long depth)
{
    _Alignas(32) volatile char room[64];
    volatile char *more = alloca((size_t) depth * 8 + 16);
    more[0] = room[0] = (char) depth;
    if (depth > 0)
        sum += aligned_variable(depth - 1);
    return more[0] + room[0];
}

struct block {
    long w[5];
};

KEPT static long many(long a, long b, long c, long d, long e, long f, long g, long h, double x, struct block by_value)
{
    sum += a + b * c - d + e * f + g - h + (long) x + by_value.w[3];
    return by_value.w[1] > 0 ? variable(3) : sum;
}

KEPT static long varargs(const char *kinds, ...)
{
    va_list list;
    va_start(list, kinds);
    long result = 0;
    for (const char *kind = kinds; *kind; kind++)
        result += *kind == 'd' ? (long) va_arg(list, double) : va_arg(list, long);
    va_end(list);
    return result + aligned(2);
}

/* A call that does not come back may be the last instruction of its function. */
KEPT __attribute__((noreturn)) static void leave(long depth)
{
    if (depth == 0)
        longjmp(back, 1);
    variable(2);
    leave(depth - 1);
}

KEPT static void never(long depth)
{
    if (depth >= 0)
        leave(depth);
    sum++;
}

KEPT static long last(long depth);
KEPT static long other(long depth) { sum += depth; return last(depth - 1); }
KEPT static long last(long depth) { return depth > 0 ? other(depth) : variable(4); }

static int compare(const void *left, const void *right)
{
    sum += variable(1);
    return *(const int *) left - *(const int *) right;
}

KEPT static void sorts(int count)
{
    int numbers[64];
    for (int i = 0; i < 64; i++)
        numbers[i] = (i * 37) % 61;
    qsort(numbers, (size_t) count, sizeof *numbers, compare);
    int key = 3;
    sum += bsearch(&key, numbers, (size_t) count, sizeof *numbers, compare) != 0;
}

static void *root;

static void visit(const void *node, VISIT order, int level)
{
    sum += order == leaf ? level : **(int *const *) node;
}

KEPT static void trees(void)
{
    static int numbers[40];
    for (int i = 0; i < 40; i++) {
        numbers[i] = (i * 17) % 41;
        tsearch(&numbers[i], &root, compare);
    }
    twalk(root, visit);
    for (int i = 0; i < 40; i++)
        tdelete(&numbers[i], &root, compare);
}

static ssize_t give(void *cookie, const char *bytes, size_t size)
{
    sum += *bytes + last(3) + (cookie != 0);
    return (ssize_t) size;
}

KEPT static void prints(void)
{
    char text[200];
    snprintf(text, sizeof text, "%s %d %.17g %p %-20ld|", "text", 42, M_PI * (double) sum, (void *) text, sum);
    sum += (long) strtod(text + 8, 0) + sscanf(text, "%*s %ld", &(long) { 0 });
    FILE *own = fopencookie((void *) &sum, "w", (cookie_io_functions_t) { .write = give });
    fprintf(own, "%s %Lf\n", text, (long double) sum);
    fclose(own);
}

KEPT static void matches(void)
{
    regex_t expression;
    regmatch_t found[3];
    if (regcomp(&expression, "(a|b)*c+[[:digit:]]{2,3}", REG_EXTENDED))
        abort();
    sum += regexec(&expression, "xxababccc123yy", 3, found, 0);
    regfree(&expression);
}

KEPT static void handler(int number)
{
    if (capture_on)
        capture_on();
    sum += number + aligned(1) + variable(2);
}

KEPT static long interrupted(long depth)
{
    if (depth > 0)
        return interrupted(depth - 1) + 1;
    raise(SIGUSR1);
    return raise(SIGUSR2);
}

KEPT static void large(void)
{
    volatile char room[12000];
    room[0] = room[11999] = 1;
    sum += variable(2) + room[11999];
}

KEPT static long deep(long depth)
{
    volatile long keep[3] = { depth, sum, 1 };
    if (depth == 0)
        return variable(2);
    keep[1] += deep(depth - 1) + keep[2];
    return keep[1] + keep[0];
}

KEPT static void times(void)
{
    struct timespec now;
    for (int i = 0; i < 4; i++) {
        clock_gettime(i & 1 ? CLOCK_MONOTONIC : CLOCK_REALTIME, &now);
        sum += now.tv_nsec + time(0);
    }
}

static void at_exit(void) { sum += last(2); }

#ifndef ALONE
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void of_thread(void *value) { sum += variable(3) + (value != 0); }
static void only_once(void) { pthread_key_create(&key, of_thread); sum += aligned(1); }
static void *work(void *argument)
{
    pthread_once(&once, only_once);
    pthread_setspecific(key, (void *) &sum);
    sorts(8);
    sum += deep(5);
    return argument;
}
#endif

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 1;
    static char stack[1 << 16];
    sigaltstack(&(stack_t) { .ss_sp = stack, .ss_size = sizeof stack }, 0);
    signal(SIGUSR1, handler);
    sigaction(SIGUSR2, &(struct sigaction) { .sa_handler = handler, .sa_flags = SA_ONSTACK }, 0);
    atexit(at_exit);
    for (int round = 0; round < rounds; round++) {
        sum += variable(5 + round % 3) + aligned(4) + aligned_variable(3);
        many(1, 2, 3, 4, 5, 6, 7, 8, 9.5, (struct block) { { 1, round, 3, 4, 5 } });
        varargs("ldlldlld", 1l, 2.0, 3l, 4l, 5.0, 6l, 7l, 8.0);
        if (!setjmp(back))
            never(3);
        sum += last(6);
        sorts(10 + round % 20);
        trees();
        prints();
        matches();
        sum += interrupted(round % 4);
        large();
        sum += deep(20 + round % 150);
        times();
        free(malloc((size_t) (100 + round * 1000)));
#ifndef ALONE
        pthread_t thread;
        if (round % 8 == 0 && !pthread_create(&thread, 0, work, (void *) &sum))
            pthread_join(thread, 0);
#endif
    }
    printf("%d\n", sum != 0);
    return 0;
}
