// test capture
//: struct node { struct node *next; int v[4]; int *p[3]; };
long total;
_probe _oneshot {
    struct node *n = (struct node *) _reg("rdi");
    for (int i = 0; i < 4; i++) total += n->v[i];
    for (int i = 0; i < 3; i++) if (n->p[i]) total += *n->p[i];
}
_probe _oneshot {
    struct node *n = (struct node *) _reg("rdi");
    for (int i = 0; i < 3 && n; i++) { total += n->v[0]; n = n->next; }
}
_probe _oneshot {
    struct node *n = (struct node *) _reg("rdi");
    while (n) { total += n->v[0]; n = n->next; }
}
_probe _oneshot {
    struct node *n = (struct node *) _reg("rdi");
    long k = 0;
    while (k < total) { k += n->v[1]; }
}
//> c0 = 40 bytes (0+4 4+4 8+4 12+4 16+8 24+8 32+8) at (register 5 + 8)
//> c1 = 4 bytes at c0[16]:u64
//> c2 = 4 bytes at c0[24]:u64
//> c3 = 4 bytes at c0[32]:u64
//> registers 5
//> not counted: a handler of an event reads it, or does something else with it than to add to it
//>
//> drop if (register 5 == 0)
//> c0 = 12 bytes (0+8 8+4) at register 5
//> c1 = 12 bytes (0+8 8+4) at c0[0]:u64
//> c2 = 12 bytes (0+8 8+4) at c1[0]:u64
//> registers 5
//> not counted: a handler of an event reads it, or does something else with it than to add to it
//>
//> error 15:26: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//> error 15:39: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> c0 = 4 bytes at (register 5 + 12)
//> registers 5
