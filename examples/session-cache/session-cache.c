/* A server that keeps the sessions of its users in a cache of its own. It answers lines on a socket:
 *
 *     login TENANT USER        the number of a new session
 *     set SESSION NAME VALUE   ok
 *     logout SESSION           ok
 *     stats                    how many sessions there are, and their bytes
 *
 *     session-cache serve SOCKET         the server
 *     session-cache load SOCKET          a morning's work, by a client
 *
 * It leaks: find out what. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum state { ACTIVE, IDLE, CLOSED };

struct attribute {
    struct attribute *next;
    char name[16];
    size_t size;
    char value[];
};

struct session {
    struct session *next; /* in its bucket */
    uint64_t id;
    enum state state;
    time_t created;
    char tenant[16];
    char user[24];
    struct attribute *attributes;
};

struct cache {
    struct session **buckets;
    size_t nbuckets;
    size_t count;
    size_t bytes; /* of sessions and attributes */
    uint64_t last_id;
};

static struct cache *cache;

static void *allocate(size_t size)
{
    void *p = calloc(1, size);
    if (!p) {
        perror("session-cache");
        exit(1);
    }
    cache->bytes += size;
    return p;
}

static struct session *find(uint64_t id)
{
    struct session *s = cache->buckets[id % cache->nbuckets];
    while (s && s->id != id)
        s = s->next;
    return s;
}

static uint64_t login(const char *tenant, const char *user)
{
    struct session *s = allocate(sizeof *s);
    s->id = ++cache->last_id;
    s->created = time(NULL);
    snprintf(s->tenant, sizeof s->tenant, "%s", tenant);
    snprintf(s->user, sizeof s->user, "%s", user);
    s->next = cache->buckets[s->id % cache->nbuckets];
    cache->buckets[s->id % cache->nbuckets] = s;
    cache->count++;
    return s->id;
}

static void set(struct session *s, const char *name, const char *value)
{
    size_t size = strlen(value) + 1;
    struct attribute *a = allocate(sizeof *a + size);
    snprintf(a->name, sizeof a->name, "%s", name);
    a->size = size;
    memcpy(a->value, value, size);
    a->next = s->attributes;
    s->attributes = a;
}

static void logout(struct session *s)
{
    s->state = CLOSED; /* the reaper takes it out of the cache */
}

static void answer(char *line, FILE *out)
{
    static char value[4096];
    uint64_t id;
    char one[16], two[24];
    struct session *s;
    if (sscanf(line, "login %15s %23s", one, two) == 2)
        fprintf(out, "%" PRIu64 "\n", login(one, two));
    else if (sscanf(line, "set %" SCNu64 " %15s %4095s", &id, one, value) == 3 && (s = find(id)) != NULL)
        set(s, one, value), fputs("ok\n", out);
    else if (sscanf(line, "logout %" SCNu64, &id) == 1 && (s = find(id)) != NULL)
        logout(s), fputs("ok\n", out);
    else if (strncmp(line, "stats", 5) == 0)
        fprintf(out, "%zu sessions, %zu bytes\n", cache->count, cache->bytes);
    else
        fputs("error\n", out);
    fflush(out);
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static int serve(const char *path)
{
    static char line[8192];
    struct sockaddr_un address = address_of(path);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    cache = calloc(1, sizeof *cache);
    if (!cache)
        return 1;
    cache->nbuckets = 1009;
    cache->buckets = calloc(cache->nbuckets, sizeof *cache->buckets);
    unlink(path);
    if (!cache->buckets || server < 0 || bind(server, (struct sockaddr *)&address, sizeof address) != 0 || listen(server, 8) != 0) {
        perror(path);
        return 1;
    }
    for (;;) {
        int client = accept(server, NULL, NULL);
        FILE *in = client < 0 ? NULL : fdopen(client, "r");
        FILE *out = client < 0 ? NULL : fdopen(dup(client), "w");
        while (in && out && fgets(line, sizeof line, in))
            answer(line, out);
        if (in)
            fclose(in);
        if (out)
            fclose(out);
    }
}

static FILE *to, *from;

/* Sends what stands in `line` and returns the number that is answered. */
static uint64_t ask(char *line, size_t size)
{
    fputs(line, to);
    fflush(to);
    if (!fgets(line, (int)size, from)) {
        fputs("the server has gone\n", stderr);
        exit(1);
    }
    return strtoull(line, NULL, 10);
}

static void visit(const char *tenant, int number, size_t view, int leaves)
{
    char line[8192], text[4096];
    memset(text, 'x', sizeof text);
    text[view] = 0;
    snprintf(line, sizeof line, "login %s user%d\n", tenant, number);
    uint64_t id = ask(line, sizeof line);
    snprintf(line, sizeof line, "set %" PRIu64 " address 192.0.2.%d\n", id, number % 256);
    ask(line, sizeof line);
    snprintf(line, sizeof line, "set %" PRIu64 " view %s\n", id, text);
    ask(line, sizeof line);
    if (leaves) {
        snprintf(line, sizeof line, "logout %" PRIu64 "\n", id);
        ask(line, sizeof line);
    }
}

static int load(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    /* The server may be about to start. */
    for (int tries = 1000; connect(server, (struct sockaddr *)&address, sizeof address) != 0; tries--) {
        if (tries == 0 || (errno != ENOENT && errno != ECONNREFUSED)) {
            perror(path);
            return 1;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    from = fdopen(server, "r");
    to = fdopen(dup(server), "w");
    if (!from || !to)
        return 1;
    for (int i = 0; i < 300; i++)
        visit("web", i, 700, i % 3 == 0);
    for (int i = 0; i < 150; i++)
        visit("mobile", i, 200, 0);
    for (int i = 0; i < 4000; i++)
        visit("api", i % 5, 1500, 1);
    char line[256] = "stats\n";
    ask(line, sizeof line);
    fputs(line, stdout);
    return 0;
}

int main(int count, char **words)
{
    if (count == 3 && strcmp(words[1], "serve") == 0)
        return serve(words[2]);
    if (count == 3 && strcmp(words[1], "load") == 0)
        return load(words[2]);
    fputs("usage: session-cache serve|load SOCKET\n", stderr);
    return 2;
}
