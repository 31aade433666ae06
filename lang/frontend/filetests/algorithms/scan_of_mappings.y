// test run
//! memory 0x10000 u64 0x1122334455667788 7 0x1122334455667788 9
//! memory 0x20000 u64 1 0x1122334455667788
_probe _oneshot {
    long hits[_str];
    _foreach (m in _maps()) {
        if (!(m.perms ~~ rx/^r/))
            continue;
        for (unsigned long *p = (unsigned long *) m.start; (void *) p < m.end && _readable(p, 8); p++)
            if (*p == 0x1122334455667788)
                hits[m.file]++;
    }
    printf("%ld\n", _sum(hits));
    for (unsigned long *p = (unsigned long *) 0x10000; _readable(p, 8); p++)
        if (*p == 0x1122334455667788)
            printf("%p %lu\n", p, p[1]);
}
//> 0
//> 0x10000 7
//> 0x10010 9
