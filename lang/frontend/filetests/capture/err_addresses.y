// test capture
//! string 64
//: struct node { struct node *next; struct node *pair[2]; long v; int k; char *name; double d; };
//: void f(struct node *a, long n, char *s);
struct node *by_key[long];
struct node *list[];
char *names[long];
struct node *kept;
struct pair { struct node *one; struct node *other; };
struct pair both;
long total;
union word { struct node *p; char bytes[8]; };
struct node *last(struct node *p) { return p->next ? last(p->next) : p; }
struct node *skip(struct node *p) { while (p->next) p = p->next; return p; }
_probe f(struct node *a, long n, char *s) { do { total += a->v; a = a->next; } while (a); kept = a; both.one = a; }
_probe f(struct node *a, long n, char *s) { printf("%ld\n", last(a)->v); }
_probe f(struct node *a, long n, char *s) { printf("%ld\n", skip(a)->v); }
_probe f(struct node *a, long n, char *s) { printf("%ld\n", list[0]->v); }
_probe f(struct node *a, long n, char *s) { printf("%ld\n", by_key[n]->v); }
_probe f(struct node *a, long n, char *s) { printf("%ld\n", kept->v); }
_probe f(struct node *a, long n, char *s) { printf("%ld\n", both.one->v); }
_probe f(struct node *a, long n, char *s) { printf("%ld\n", ((struct node *) (long) (a->d * 2))->v); }
_probe f(struct node *a, long n, char *s) { printf("%ld\n", a[100 % n].v); }
_probe f(struct node *a, long n, char *s) { printf("%ld\n", a[1 << n].v); }
_probe f(struct node *a, long n, char *s) { struct node *l[2]; l[0] = a; l[1] = a->next; printf("%ld\n", l[n & 1]->v); }
_probe f(struct node *a, long n, char *s) { union word u; u.p = a; u.bytes[0] = 0; printf("%ld\n", u.p->v); }
_probe f(struct node *a, long n, char *s) { struct node *p = a; _try { p = a->next; p = p->next; } _catch { } printf("%ld\n", p->v); }
_probe f(struct node *a, long n, char *s) { printf("%ld\n", a[_randint(3)].v); }
_probe f(struct node *a, long n, char *s) { for (int i = 0; i < 65; i++) a = a->next; printf("%ld\n", a->v); }
_probe f(struct node *a, long n, char *s) { for (int i = 0; i < n; i++) a = a->next; }
_probe f(struct node *a, long n, char *s) { again: a = a->next; if (a) goto again; }
_probe f(struct node *a, long n, char *s) { _foreach (k, p in by_key) printf("%ld\n", p->v); }
_probe f(struct node *a, long n, char *s) { printf("%s\n", names[n]); }
_probe f(struct node *a, long n, char *s) { printf("%d\n", strcmp(names[n], s)); }
_probe f(struct node *a, long n, char *s) { printf("%V\n", names); }
_probe f(struct node *a, long n, char *s) {
    struct node *p = a;
    if (n in by_key) p = a->next;
    if (total > 1) p = p->pair[0];
    if (total > 2) p = p->pair[1];
    printf("%ld\n", p->v);
}
//> error 15:59: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] [15:59: the loop] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//> error 15:69: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] [15:59: the loop] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 13:44: this cannot be read at the hit: where it lies depends on a function that calls itself [read here] [13:54: called here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//> error 13:59: this cannot be read at the hit: where it lies depends on a function that calls itself [read here] [13:54: called here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//> error 16:61: this cannot be read at the hit: where it lies depends on a function that calls itself [read here] [13:54: called here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 14:44: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] [14:44: the loop] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//> error 14:57: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] [14:44: the loop] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//> error 17:61: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] [14:44: the loop] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 18:61: this cannot be read at the hit: where it lies comes from a container, which the kernel does not have [read here] [18:61: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 19:61: this cannot be read at the hit: where it lies comes from a container, which the kernel does not have [read here] [19:61: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 20:61: this cannot be read at the hit: where it lies comes from a variable of the script, which the kernel does not have [read here] [20:61: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 21:61: this cannot be read at the hit: where it lies comes from a variable of the script, which the kernel does not have [read here] [21:61: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 22:61: this cannot be read at the hit: where it lies comes from a floating-point number [read here] [22:61: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 23:61: this cannot be read at the hit: where it lies comes from a division or a shift by what is not constant [read here] [23:63: computed here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 24:61: this cannot be read at the hit: where it lies comes from a division or a shift by what is not constant [read here] [24:63: computed here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 25:106: this cannot be read at the hit: where it lies comes from an array of the script by an index that is not constant [read here] [25:106: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 26:100: this cannot be read at the hit: where it lies is put together from parts of several values [read here] [26:100: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 27:127: this cannot be read at the hit: where it lies depends on where a fault was caught [read here] [27:85: after this] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 28:61: this cannot be read at the hit: where it lies comes from what only ytrace can tell [read here] [28:63: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 29:78: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] [29:65: the loop] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//> error 29:103: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] [29:65: the loop] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 30:77: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] [30:61: the loop] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 31:56: this cannot be read at the hit: where it lies changes in a loop whose number of rounds is not constant, or more than 64 [read here] [31:56: the loop] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 32:87: this cannot be read at the hit: where it lies comes from a container, which the kernel does not have [read here] [32:45: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 33:45: this cannot be read at the hit: where it lies comes from a container, which the kernel does not have [read here] [33:60: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 34:60: this cannot be read at the hit: where it lies comes from a container, which the kernel does not have [read here] [34:67: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 35:60: this shows strings of the target whose addresses are in a container, which the kernel does not have at the hit [read here] (help: strings are kept with `_tostr(p)` (at most 64 bytes each); `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 41:21: this cannot be read at the hit: where it lies is one of too many values that come together [read here] [41:5: they come together here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
