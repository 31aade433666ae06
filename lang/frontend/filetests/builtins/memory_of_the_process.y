// test run
// What the kernel says of the whole process, and of its mappings.
_probe _oneshot {
    printf("%ld %ld %ld\n", _process_bytes("VmRSS"), _process_bytes("Pss"), _process_bytes("VmNothing"));
    printf("%ld %ld\n", _cgroup_bytes("usage"), _cgroup_bytes("limit"));
    _try {
        printf("%ld\n", _cgroup_bytes("uses"));
    } _catch (_fault f) {
        printf("%s: %s\n", f.kind, f.message);
    }
    int wanted = 1;
    _foreach (m in _maps())
        printf("%s %lu %lu %ld\n", m.perms, m.rss, m.unshared, m.pss);
    _foreach (m in _maps(wanted))
        printf("%s %lu %ld\n", m.perms, m.rss, m.pss);
    _foreach (t in _threads())
        printf("%ld %p\n", t.tid, t.sp);
}
//> 20480 18432 -1
//> 36864 -1
//> not available: no figure is called uses
//> r-xp 4096 2048 -1
//> rw-p 8192 4096 -1
//> rw-p 8192 4096 -1
//> r-xp 4096 3072
//> rw-p 8192 6144
//> rw-p 8192 6144
//> 4211 0x7fff1073
//> 4212 0x7fff1074
