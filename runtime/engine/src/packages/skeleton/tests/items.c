/* A program for the tests: it fills a shelf, says that it is ready, and waits until its input ends. */
#include <stdio.h>
#include <stdlib.h>

struct item {
    struct item *next;
    const char *kind;
    size_t bytes;
};

struct shelf {
    struct item *first;
    long count;
};

struct shelf *shelf;

static void put(const char *kind, size_t bytes)
{
    struct item *item = malloc(sizeof *item + bytes);
    if (!item)
        exit(1);
    item->kind = kind;
    item->bytes = bytes;
    item->next = shelf->first;
    shelf->first = item;
    shelf->count++;
}

int main(void)
{
    shelf = calloc(1, sizeof *shelf);
    if (!shelf)
        return 1;
    for (int i = 0; i < 100; i++)
        put("book", 1000);
    for (int i = 0; i < 20; i++)
        put("box", 50);
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}
