/* Ends in the way that the first argument names. Every way first prints the address of a word of known content. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile uint64_t *word;
static volatile sig_atomic_t counts[65];
static pthread_barrier_t ready;
static int gate[2];

static void count(int signal)
{
    counts[signal]++;
}

static void block(void)
{
    char byte;
    while (read(gate[0], &byte, 1) != 1)
        ;
}

static void *group_exit(void *unused)
{
    syscall(SYS_exit_group, 5);
    return NULL;
}

static void *sleeper(void *unused)
{
    pthread_barrier_wait(&ready);
    block();
    return NULL;
}

static void *early(void *unused)
{
    return NULL;
}

static void *outlives(void *main_thread)
{
    pthread_join(*(pthread_t *)main_thread, NULL);
    *word = 0x1a57;
    return NULL;
}

static void *executes(void *path)
{
    pthread_barrier_wait(&ready);
    execl(path, path, "return", NULL);
    _exit(9);
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "return";
    static pthread_t self;
    pthread_t thread;
    self = pthread_self();
    /* What a shell starts in the background is to ignore it. */
    signal(SIGINT, SIG_DFL);
    if (pipe(gate))
        return 3;
    word = malloc(sizeof *word);
    *word = 0x5eed0f1ab1e;
    if (!strcmp(way, "nothing"))
        return 0;
    printf("%p\n", (void *)word);
    fflush(stdout);
    if (!strcmp(way, "return"))
        return 4;
    if (!strcmp(way, "zero"))
        return 0;
    if (!strcmp(way, "group")) {
        pthread_create(&thread, NULL, group_exit, NULL);
        block();
    }
    if (!strcmp(way, "many")) {
        pthread_barrier_init(&ready, NULL, 33);
        for (int i = 0; i < 32; i++)
            pthread_create(&thread, NULL, sleeper, NULL);
        pthread_barrier_wait(&ready);
        exit(0);
    }
    if (!strcmp(way, "segv"))
        *(volatile int *)8 = 1;
    if (!strcmp(way, "early")) {
        for (int i = 0; i < 200; i++) {
            if (pthread_create(&thread, NULL, early, NULL) || pthread_join(thread, NULL))
                return 8;
            ++*word;
        }
        return 6;
    }
    if (!strcmp(way, "last")) {
        pthread_create(&thread, NULL, outlives, &self);
        pthread_exit(NULL);
    }
    if (!strcmp(way, "exec")) {
        pthread_barrier_init(&ready, NULL, 6);
        for (int i = 0; i < 4; i++)
            pthread_create(&thread, NULL, sleeper, NULL);
        pthread_create(&thread, NULL, executes, argv[0]);
        pthread_barrier_wait(&ready);
        block();
    }
    if (!strcmp(way, "fork")) {
        /* The children are no part of what is looked at: by fork, and by a clone that is no fork either. */
        for (int i = 0; i < 3; i++) {
            int status = 0;
            signal(SIGUSR1, count);
            long child = i == 2 ? syscall(SYS_clone, SIGUSR1, NULL, NULL, NULL, NULL) : fork();
            if (child == 0)
                _exit(40 + i);
            if (waitpid(child, &status, __WALL) != child || WEXITSTATUS(status) != 40 + i)
                return 2;
        }
        return 7;
    }
    if (!strcmp(way, "lines")) {
        /* Answers lines; "sum" with how often its signals came, "exit N" by exiting. */
        char line[64];
        struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
        sigaction(SIGUSR1, &action, NULL);
        sigaction(SIGUSR2, &action, NULL);
        sigaction(SIGRTMIN + 3, &action, NULL);
        if (argc > 2)
            sigaction(SIGINT, &action, NULL);
        printf("ready\n");
        fflush(stdout);
        while (fgets(line, sizeof line, stdin)) {
            if (!strncmp(line, "exit ", 5))
                exit(atoi(line + 5));
            if (!strcmp(line, "sum\n"))
                printf("%d %d %d\n", counts[SIGUSR1], counts[SIGUSR2], counts[SIGRTMIN + 3]);
            else
                printf("alive\n");
            fflush(stdout);
        }
        /* A file that shows that it got here. */
        if (argc > 3) {
            FILE *end = fopen(argv[3], "w");
            if (end)
                fclose(end);
        }
        return 11;
    }
    return 1;
}
