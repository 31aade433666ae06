/* Threads that wait in the system calls that the kernel does not restart after a stop, and complain of EINTR.
   Argument: how many threads compute meanwhile. Ends with 0 at the end of its input. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void check(const char *call, long result)
{
    if (result < 0 && errno == EINTR) {
        printf("EINTR from %s\n", call);
        fflush(stdout);
        _exit(9);
    }
    if (result < 0 && errno != EAGAIN && errno != ETIMEDOUT) {
        printf("%s: %s\n", call, strerror(errno));
        fflush(stdout);
        _exit(8);
    }
}

static pthread_barrier_t ready;

static void *epoll_waiter(void *unused)
{
    int epoll = epoll_create1(0);
    struct epoll_event event;
    pthread_barrier_wait(&ready);
    for (;;)
        check("epoll_wait", epoll_wait(epoll, &event, 1, 3600 * 1000));
}

static volatile int semaphores = -1;

static void *sem_waiter(void *unused)
{
    int id = semget(IPC_PRIVATE, 1, 0600);
    struct sembuf take = {0, -1, 0};
    struct timespec hour = {3600, 0};
    check("semget", id);
    semaphores = id;
    pthread_barrier_wait(&ready);
    for (;;)
        if (semtimedop(id, &take, 1, &hour) && errno == EIDRM)
            pause();
        else
            check("semtimedop", -(errno == EINTR));
}

static void *signal_waiter(void *unused)
{
    sigset_t set;
    siginfo_t info;
    struct timespec hour = {3600, 0};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_barrier_wait(&ready);
    for (;;)
        check("sigtimedwait", sigtimedwait(&set, &info, &hour));
}

static void *aio_waiter(void *unused)
{
    aio_context_t context = 0;
    struct io_event event;
    struct timespec hour = {3600, 0};
    check("io_setup", syscall(SYS_io_setup, 8, &context));
    pthread_barrier_wait(&ready);
    for (;;)
        check("io_getevents", syscall(SYS_io_getevents, context, 1, 1, &event, &hour));
}

static void *inotify_waiter(void *unused)
{
    int watch = inotify_init1(0);
    char buffer[4096];
    pthread_barrier_wait(&ready);
    for (;;)
        check("read of inotify", read(watch, buffer, sizeof buffer));
}

static void *recv_waiter(void *unused)
{
    int pair[2];
    char byte;
    struct timeval hour = {3600, 0};
    check("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    check("setsockopt", setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &hour, sizeof hour));
    pthread_barrier_wait(&ready);
    for (;;)
        check("recv", recv(pair[0], &byte, 1, 0));
}

static volatile uint64_t steps;

static void *computer(void *unused)
{
    pthread_barrier_wait(&ready);
    for (;;)
        steps++;
}

static void *sleeper(void *unused)
{
    struct timespec hour = {3600, 0};
    pthread_barrier_wait(&ready);
    for (;;)
        check("nanosleep", clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL) ? -1 : 0);
}

int main(int argc, char **argv)
{
    void *(*waiters[])(void *) = {epoll_waiter, sem_waiter, signal_waiter, aio_waiter,
                                  inotify_waiter, recv_waiter, sleeper};
    int count = sizeof waiters / sizeof *waiters, computers = argc > 1 ? atoi(argv[1]) : 0;
    pthread_t thread;
    char line[64];
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_barrier_init(&ready, NULL, count + computers + 1);
    for (int i = 0; i < count; i++)
        pthread_create(&thread, NULL, waiters[i], NULL);
    for (int i = 0; i < computers; i++)
        pthread_create(&thread, NULL, computer, NULL);
    pthread_barrier_wait(&ready);
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        printf("%llu\n", (unsigned long long)steps);
        fflush(stdout);
    }
    semctl(semaphores, 0, IPC_RMID);
    return 0;
}
