/* A process with a heap of many chunks, which also walks it itself: the reference of the benchmark `heaps`.
 *
 * chunks N: allocates N blocks of 1 to 121 bytes, frees every third, and prints "ready START TOP", the first chunk of the heap and its last. For each
 * line of input it walks the heap and prints "CHUNKS BYTES FREE-CHUNKS FREE-BYTES NANOSECONDS", chunks in use first. Run it with caches of threads and fast
 * bins off, so that a chunk is free where the next one says so.
 *
 * cc -O2 -g chunks.c -o chunks
 */

#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* As in malloc/malloc.c of glibc. The name is the program's own, so that debuggers find the type without glibc's debug information. */
struct chunk {
    size_t previous_size;
    size_t size;
};

static uint64_t count[64], bytes[64];
static uint64_t free_count, free_bytes;

static void walk(uintptr_t start, uintptr_t top)
{
    for (int i = 0; i < 64; i++)
        count[i] = bytes[i] = 0;
    free_count = free_bytes = 0;
    for (uintptr_t p = start; p < top;) {
        size_t size = ((volatile struct chunk *)p)->size & ~(size_t)7;
        uintptr_t next = p + size;
        if (((volatile struct chunk *)next)->size & 1) {
            int bit = 63 - __builtin_clzl(size);
            count[bit]++;
            bytes[bit] += size;
        } else {
            free_count++;
            free_bytes += size;
        }
        p = next;
    }
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 1000000;
    /* One heap that only grows, and no fast bins. */
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, -1);
    mallopt(M_MXFAST, 0);
    void **blocks = mmap(NULL, n * sizeof(void *), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (n < 1 || blocks == MAP_FAILED)
        return 2;
    static char line[256];
    setvbuf(stdin, line, _IOFBF, sizeof line);
    static char out[256];
    setvbuf(stdout, out, _IOLBF, sizeof out);
    uintptr_t start = ((uintptr_t)sbrk(0) + 15) & ~(uintptr_t)15;
    uint64_t random = 88172645463325252ull;
    for (long i = 0; i < n; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        blocks[i] = malloc(1 + random % 121);
        if (!blocks[i])
            return 2;
        *(char *)blocks[i] = 1;
    }
    if ((uintptr_t)blocks[0] < start || (uintptr_t)blocks[0] > start + (1 << 20))
        return 3; /* The heap does not begin where the break was. */
    for (long i = 0; i < n; i += 3)
        free(blocks[i]);
    /* The rest of the heap is the top: its chunk ends at the break. */
    uintptr_t top = start;
    for (uintptr_t end = (uintptr_t)sbrk(0);;) {
        uintptr_t next = top + (((struct chunk *)top)->size & ~(size_t)7);
        if (next >= end)
            break;
        top = next;
    }
    printf("ready %#lx %#lx\n", (unsigned long)start, (unsigned long)top);
    char command[64];
    while (fgets(command, sizeof command, stdin)) {
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        walk(start, top);
        clock_gettime(CLOCK_MONOTONIC, &after);
        uint64_t used = 0, used_bytes = 0;
        for (int i = 0; i < 64; i++) {
            used += count[i];
            used_bytes += bytes[i];
        }
        printf("%lu %lu %lu %lu %ld\n", used, used_bytes, free_count, free_bytes,
               (after.tv_sec - before.tv_sec) * 1000000000l + after.tv_nsec - before.tv_nsec);
    }
    return 0;
}
