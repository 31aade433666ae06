// test capture
//: struct node { struct node *next; int v; };
_late int depth(struct node *n) {
    int d = 0;
    while (n) { d++; n = n->next; }
    return d;
}
long total;
_probe _oneshot {
    struct node *n = (struct node *) _reg("rdi");
    if (n->v)
        total += depth(n);
}
_probe _oneshot {
    struct node *n = (struct node *) _reg("rdi");
    _capture(n, n->v * 2, 1024);
    total += depth(n);
}
_probe _oneshot {
    struct node *n = (struct node *) _reg("rdi");
    _capture(n, 8, n->v);
    total += *(int *) (long) depth(n);
}
//> c0 = 4 bytes at (register 5 + 8)
//> drop if (c0[0]:i32 == 0) with c0
//> registers 5
//>
//> c0 = 4 bytes at (register 5 + 8)
//> c1 = (c0[0]:i32 * i32 2) bytes, at most 1024 at register 5
//> registers 5
//>
//> error 21:5: how much this asks about is no constant, so it cannot be captured at the hit [asked here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//> error 22:14: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
