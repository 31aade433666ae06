// test run
// What the kernel says of the whole process, and of its mappings.
_probe _oneshot {
    printf("%ld %ld %ld\n", _process_bytes("VmRSS"), _process_bytes("Pss"), _process_bytes("VmPMD"));
    printf("%ld\n", _counters_lag());
    printf("%ld %ld\n", _cgroup_bytes("usage"), _cgroup_bytes("limit"));
    _try {
        printf("%ld\n", _cgroup_bytes("uses"));
    } _catch (_fault f) {
        printf("%s: %s\n", f.kind, f.message);
    }
    _str field = "Vm" + _tostr(1);
    _try {
        printf("%ld\n", _process_bytes(field));
    } _catch (_fault f) {
        printf("%s: %s\n", f.kind, f.message);
    }
    int wanted = 1;
    _foreach (m in _maps())
        printf("%s %ld %ld %ld\n", m.perms, m.rss, m.unshared, m.pss);
    _foreach (m in _maps(wanted))
        printf("%s %ld %ld\n", m.perms, m.rss, m.pss);
    _foreach (m in _maps())
        printf("%ld %#lx %lu\n", m.hugetlb, m.device, m.inode);
    _foreach (t in _threads())
        printf("%ld %p\n", t.tid, t.sp);
}
//> 20480 18432 -1
//> 0
//> 36864 -1
//> not available: no figure is called uses
//> not available: no figure of a process is called `Vm1`
//> r-xp 4096 2048 -1
//> rw-p 8192 4096 -1
//> rw-p 8192 4096 -1
//> r-xp 4096 3072
//> rw-p 8192 6144
//> rw-p 8192 6144
//> 0 0x800001 42
//> 0 0 0
//> 0 0 0
//> 4211 0x7fff1073
//> 4212 0x7fff1074
