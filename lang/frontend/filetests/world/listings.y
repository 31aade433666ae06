// test run
_probe _oneshot {
    long n = 0;
    _foreach (m in _maps()) {
        n += m.end - m.start;
        printf("%p %s %s\n", m.start, m.perms, m.file);
    }
    printf("%ld\n", n);
    _foreach (t in _threads()) printf("%ld %s %s\n", t.tid, t.name, t.state);
    _foreach (m in _modules()) printf("%s %s\n", m.name, m.build_id);
    printf("%ld %s\n", _pid(), _execname());
}
//> 0x400000 r-xp /usr/sbin/nginx
//> 0x1000 rw-p [heap]
//> 0x70000000 rw-p 
//> 20480
//> 4211 nginx S
//> 4212 pool S
//> libc.so.6 00ff
//> 4211 nginx
