/// The loops of tests/bench/handlers.c, on the heap of a process that runs it: a line each with the nanoseconds and the result.

_option long arithmetic = 0;
_option long table = 0;
_option long ordered_rounds = 0;
_option long shuffled_rounds = 0;
_option long contains = 0;
_option long match = 0;

long counts[unsigned long];
_str texts[];

unsigned long walk(struct node *head)
{
    unsigned long sum = 0;
    for (struct node *n = head; n; n = n->next)
        if (n->kind != 3)
            sum += n->value + n->flags;
    return sum;
}

_probe _oneshot {
    unsigned long result = 0;
    unsigned long x = 1;
    long start = _now_ns();
    for (unsigned long i = 0; i < arithmetic; i++) {
        x = x * 6364136223846793005u + (i ^ (x >> 33));
        result += x >> 7;
    }
    printf("arithmetic %ld %lu\n", _now_ns() - start, result);

    x = 88172645463325252u;
    start = _now_ns();
    for (unsigned long i = 0; i < table; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        counts[x % 65536 * 4096] += i;
    }
    printf("table %ld %lu\n", _now_ns() - start, _count(counts));

    // The walks find the target's pages where they were read before, as the loops in C do.
    result = ordered_rounds > 0 ? walk(ordered) + walk(shuffled) : 0;
    result = 0;
    start = _now_ns();
    for (long i = 0; i < ordered_rounds; i++)
        result += walk(ordered);
    printf("ordered %ld %lu\n", _now_ns() - start, result);

    result = 0;
    start = _now_ns();
    for (long i = 0; i < shuffled_rounds; i++)
        result += walk(shuffled);
    printf("shuffled %ld %lu\n", _now_ns() - start, result);

    int names_count = contains + match > 0 ? sizeof(names) / sizeof(names[0]) : 0;
    for (int i = 0; i < names_count; i++)
        _push(texts, _tostr(names[i]));

    result = 0;
    start = _now_ns();
    for (long round = 0; round < contains; round++)
        for (int i = 0; i < names_count; i++)
            if (_contains(texts[i], "needle"))
                result++;
    printf("contains %ld %lu\n", _now_ns() - start, result);

    result = 0;
    start = _now_ns();
    for (long round = 0; round < match; round++)
        for (int i = 0; i < names_count; i++)
            if (texts[i] ~~ rx/ne+dle[0-9]/)
                result++;
    printf("match %ld %lu\n", _now_ns() - start, result);
}
