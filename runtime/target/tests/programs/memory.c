/* Memory of every kind. Prints lines of a name and numbers, then answers commands:
   touch: writes the first page of the untouched anonymous memory; write N: fills the pattern with another seed;
   grow: maps and fills one more page and prints its address;
   sparse: a child writes every second page of the zone; spin: rewrites the pattern until the next line arrives. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const size_t zone_size = 256u << 20;
static pthread_barrier_t ready;
static volatile int spinning;
static volatile uint64_t *pattern;
static size_t pattern_words;

static void fill(uint64_t seed)
{
    for (size_t i = 0; i < pattern_words; i++)
        pattern[i] = seed + i;
}

/* Both ends of the pattern are written in step, so a copy of one instant differs by one at most. */
static void *spinner(void *unused)
{
    pthread_barrier_wait(&ready);
    for (;;) {
        if (spinning) {
            pattern[0]++;
            pattern[pattern_words - 1]++;
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    size_t size = (argc > 1 ? strtoull(argv[1], NULL, 0) : 80) << 20;
    const char *file = argc > 2 ? argv[2] : NULL;
    char line[64];
    pthread_t thread;
    void *untouched = mmap(NULL, 64u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *zone = mmap(NULL, zone_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pattern_words = size / 8;
    pattern = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (untouched == MAP_FAILED || zone == MAP_FAILED || pattern == MAP_FAILED)
        return 3;
    if (argc > 3)
        madvise((void *)pattern, size, MADV_NOHUGEPAGE);
    fill(1000);
    /* A child writes into the zone, so that the object has a page that this process has not mapped in. */
    pid_t child = fork();
    if (child == 0) {
        memset(zone + (128u << 20), 0x5a, 4096);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    void *mapped = NULL;
    if (file) {
        int fd = open(file, O_RDWR);
        mapped = mmap(NULL, 1u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        close(fd);
    }
    void *guarded = mmap(NULL, 1u << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_barrier_init(&ready, NULL, 2);
    pthread_create(&thread, NULL, spinner, NULL);
    pthread_barrier_wait(&ready);
    printf("0x%lx 0x%lx 0x%lx 0x%lx 0x%lx %zu\n", (long)untouched, (long)zone, (long)pattern, (long)mapped,
           (long)guarded, size);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (!strncmp(line, "touch", 5))
            *(uint64_t *)untouched = 42;
        else if (!strncmp(line, "write ", 6))
            fill(strtoull(line + 6, NULL, 0));
        else if (!strncmp(line, "exec", 4))
            execl("/bin/cat", "cat", NULL);
        else if (!strncmp(line, "spin", 4))
            spinning = 1;
        else if (!strncmp(line, "halt", 4))
            spinning = 0;
        else if (!strncmp(line, "grow", 4)) {
            char *more = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            memset(more, 0x77, 4096);
            printf("0x%lx\n", (long)more);
            fflush(stdout);
            continue;
        } else if (!strncmp(line, "sparse", 6)) {
            child = fork();
            if (child == 0) {
                size_t page = sysconf(_SC_PAGESIZE);
                for (size_t at = 0; at < zone_size; at += 2 * page)
                    *(uint64_t *)(zone + at) = at + 1;
                _exit(0);
            }
            waitpid(child, NULL, 0);
        } else if (!strncmp(line, "map", 3)) {
            memcpy(mapped, "changed", 7);
        }
        printf("done\n");
        fflush(stdout);
    }
    return 0;
}
