/* vfork: N threads wait inside the kernel, each for a child that borrows its memory, until a line arrives; M others sleep.
   Threads that sleep on a futex, or that come and go. Arguments: "sleep N" or "churn N" or "exit N" or "vfork N [M]".
   churn: N threads that each make short-lived threads for ever. exit: the process exits when a line arrives, and its
   threads with it. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_barrier_t ready;
static pthread_mutex_t never = PTHREAD_MUTEX_INITIALIZER;

static void *sleeper(void *unused)
{
    pthread_barrier_wait(&ready);
    pthread_mutex_lock(&never);
    return NULL;
}

static void *nothing(void *unused)
{
    return NULL;
}

static void *maker(void *unused)
{
    pthread_t thread;
    pthread_barrier_wait(&ready);
    for (;;)
        if (pthread_create(&thread, NULL, nothing, NULL) == 0)
            pthread_join(thread, NULL);
}

static int gate[2];

static void *borrowed(void *unused)
{
    pthread_barrier_wait(&ready);
    if (vfork() == 0) {
        char byte;
        /* So that it ends with the program, too. */
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 1 ? 0 : 1);
    }
    printf("back\n");
    fflush(stdout);
    return NULL;
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[2]) : 1;
    int others = argc > 3 ? atoi(argv[3]) : 0;
    int forks = argc > 1 && !strcmp(argv[1], "vfork");
    int churn = argc > 1 && !strcmp(argv[1], "churn");
    pthread_t thread;
    char line[64];
    pthread_barrier_init(&ready, NULL, count + others + 1);
    pthread_mutex_lock(&never);
    if (pipe(gate))
        return 3;
    for (int i = 0; i < count; i++)
        pthread_create(&thread, NULL, forks ? borrowed : churn ? maker : sleeper, NULL);
    for (int i = 0; i < others; i++)
        pthread_create(&thread, NULL, sleeper, NULL);
    pthread_barrier_wait(&ready);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (!strcmp(line, "exit\n"))
            _exit(7);
        if (!strcmp(line, "open\n")) {
            if (write(gate[1], "", 1) != 1)
                return 4;
            continue;
        }
        printf("alive\n");
        fflush(stdout);
    }
    return 0;
}
