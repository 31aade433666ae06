// test run
//: typedef unsigned char u_char;
//: struct str { unsigned long len; u_char *data; };
//: enum kind { CONF, MAIN = 7 };
//: struct module { struct str name; enum kind kind; unsigned on : 1, level : 3; struct module *next; double rate; };
//: struct module *modules;
//: int counters[4];
//: void run(void);
//! memory 0x10000 u64 0x2000
//! memory 0x11000 u32 10 20 30 40
//! memory 0x2000 u64 4 0x3000 u32 7 0xb u64 0x2100 f64 1.5
//! memory 0x2100 u64 3 0x3004 u32 0 0xe u64 0 f64 -2
//! memory 0x3000 "confabcd"
_probe _oneshot {
    for (struct module *m = modules; m; m = m->next)
        printf("%.*s %d %d %d %.1f\n", (int) m->name.len, m->name.data, m->kind == MAIN, m->on, m->level, m->rate);
    printf("%d %p %lu\n", counters[2], &counters[3], sizeof counters);
    struct module copy = *modules;
    copy.level++;
    copy.name.len += 100;
    printf("%d %lu %d %p\n", copy.level, copy.name.len, modules->level, copy.next);
    long by_kind[enum kind];
    by_kind[modules->kind] = 5;
    printf("%ld %V\n", by_kind[MAIN], modules->kind);
    printf("%V\n", *modules);
    printf("%p\n", &run);
}
//> conf 1 1 5 1.5
//> abc 0 0 7 -2.0
//> 30 0x1100c 16
//> 6 104 5 0x2100
//> 5 MAIN
//> {name = {len = 4, data = 0x3000 "confabcd"}, kind = MAIN, on = 1, level = 5, next = 0x2100, rate = 1.5}
//> 0x400000
