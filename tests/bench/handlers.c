// The loops of the benchmark `handlers`, in C: each word on standard input runs one and prints its
// nanoseconds of processor time and its result.
// Its heap is what the probe of the same name works on.
#define _GNU_SOURCE
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct node {
    struct node *next;
    uint64_t value;
    uint32_t kind;
    uint32_t flags;
    char rest[40];
};

#define NODES 400000
#define NAMES 20000
#define KEYS 65536

struct node *ordered;  // in order of addresses, as an arena gives them
struct node *shuffled; // in random order, as an old heap has them
char *names[NAMES];

static uint64_t state = 88172645463325252u;

static uint64_t random_word(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static struct node *list(int shuffle)
{
    struct node *all = calloc(NODES, sizeof *all);
    uint32_t *order = malloc(NODES * sizeof *order);
    for (uint32_t i = 0; i < NODES; i++)
        order[i] = i;
    for (uint32_t i = NODES - 1; shuffle && i > 0; i--) {
        uint32_t j = random_word() % (i + 1), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    for (uint32_t i = 0; i < NODES; i++) {
        struct node *n = &all[order[i]];
        n->next = i + 1 < NODES ? &all[order[i + 1]] : NULL;
        n->value = i;
        n->kind = order[i] % 5;
        n->flags = i & 3;
    }
    struct node *head = &all[order[0]];
    free(order);
    return head;
}

static uint64_t arithmetic(uint64_t count)
{
    uint64_t x = 1, sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        x = x * 6364136223846793005u + (i ^ (x >> 33));
        sum += x >> 7;
    }
    return sum;
}

// A hash map of words with open addressing and linear probing that doubles when three quarters are in use.
struct entry {
    uint64_t key;
    int64_t value;
    uint64_t used;
};

static struct {
    struct entry *entries;
    uint64_t count, slots;
} map;

static uint64_t hash(uint64_t key)
{
    unsigned __int128 product = (unsigned __int128)(key ^ 0x5851f42d4c957f2d) * 0x9e3779b97f4a7c15;
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static int64_t *at(uint64_t key)
{
    if ((map.count + 1) * 4 > map.slots * 3) {
        struct entry *old = map.entries;
        uint64_t slots = map.slots;
        map.slots = slots ? slots * 2 : 8;
        map.entries = calloc(map.slots, sizeof *map.entries);
        for (uint64_t i = 0; i < slots; i++) {
            if (!old[i].used)
                continue;
            uint64_t j = hash(old[i].key) & (map.slots - 1);
            while (map.entries[j].used)
                j = (j + 1) & (map.slots - 1);
            map.entries[j] = old[i];
        }
        free(old);
    }
    uint64_t j = hash(key) & (map.slots - 1);
    while (map.entries[j].used && map.entries[j].key != key)
        j = (j + 1) & (map.slots - 1);
    if (!map.entries[j].used) {
        map.entries[j] = (struct entry){key, 0, 1};
        map.count++;
    }
    return &map.entries[j].value;
}

static uint64_t table(uint64_t count)
{
    uint64_t x = 88172645463325252u;
    map.entries = NULL;
    map.count = map.slots = 0;
    for (uint64_t i = 0; i < count; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        *at(x % KEYS * 4096) += (int64_t)i;
    }
    uint64_t result = map.count;
    free(map.entries);
    return result;
}

static uint64_t walk(struct node *head)
{
    uint64_t sum = 0;
    for (struct node *n = head; n; n = n->next)
        if (n->kind != 3)
            sum += n->value + n->flags;
    return sum;
}

static uint64_t contains(uint64_t rounds)
{
    uint64_t found = 0;
    for (uint64_t round = 0; round < rounds; round++)
        for (int i = 0; i < NAMES; i++)
            if (memmem(names[i], strlen(names[i]), "needle", 6))
                found++;
    return found;
}

static uint64_t match(uint64_t rounds)
{
    regex_t regex;
    uint64_t found = 0;
    if (regcomp(&regex, "ne+dle[0-9]", REG_EXTENDED | REG_NOSUB))
        return 0;
    for (uint64_t round = 0; round < rounds; round++)
        for (int i = 0; i < NAMES; i++)
            if (!regexec(&regex, names[i], 0, NULL, 0))
                found++;
    regfree(&regex);
    return found;
}

int main(void)
{
    ordered = list(0);
    shuffled = list(1);
    for (int i = 0; i < NAMES; i++) {
        char text[96];
        int n = snprintf(text, sizeof text, "/api/v%d/session/%08lx/item/%06x", i % 3, (unsigned long)(random_word() >> 32), i);
        if (i % 16 == 0)
            snprintf(text + n, sizeof text - n, "?q=needle%d", i % 10);
        names[i] = strdup(text);
    }
    char line[64];
    printf("READY\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        char word[32];
        uint64_t count = 0, result = 0;
        struct timespec start, end;
        if (sscanf(line, "%31s %lu", word, &count) != 2)
            return 1;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
        if (!strcmp(word, "arithmetic"))
            result = arithmetic(count);
        else if (!strcmp(word, "table"))
            result = table(count);
        else if (!strcmp(word, "ordered"))
            for (uint64_t i = 0; i < count; i++)
                result += walk(ordered);
        else if (!strcmp(word, "shuffled"))
            for (uint64_t i = 0; i < count; i++)
                result += walk(shuffled);
        else if (!strcmp(word, "contains"))
            result = contains(count);
        else if (!strcmp(word, "match"))
            result = match(count);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        printf("%ld %lu\n", (end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec, result);
        fflush(stdout);
    }
    return 0;
}
