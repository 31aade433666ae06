// test capture
//: struct node { struct node *next; int v[4]; };
//: int values[10];
//: struct node *mine;
//! thread-local mine 0x20
struct node *seen[long];
struct node *last;
int depth(struct node *n) { return n ? 1 + depth(n->next) : 0; }
struct big { char bytes[20000]; };
//: struct large { char bytes[20000]; };
_probe _oneshot { printf("%d\n", seen[3]->v[0]); }
_probe _oneshot { printf("%d\n", last->v[0]); last = (struct node *) _reg("rdi"); }
_probe _oneshot { printf("%d\n", depth((struct node *) _reg("rdi"))); }
_probe _oneshot { struct large l = *(struct large *) _reg("rdi"); printf("%d\n", l.bytes[3]); }
_probe _oneshot { printf("%d\n", values[10 / (int) _reg("rdi")]); }
_probe _oneshot { printf("%d\n", values[_reg("rdi") % 10]); }
_probe _oneshot { printf("%d\n", mine->v[1]); }
_probe _oneshot { printf("%d\n", _tls(12, mine)->v[1]); }
_probe _oneshot { printf("%V\n", _ubt(7)); }
_probe _oneshot { printf("%lu\n", _reg("rdi", 7)); }
_probe _oneshot { printf("%d\n", _readable((void *) _reg("rdi"), _reg("rsi"))); }
//> error 11:34: this cannot be read at the hit: where it lies comes from a container, which the kernel does not have [read here] [11:34: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 12:34: this cannot be read at the hit: where it lies comes from a variable of the script, which the kernel does not have [read here] [12:34: from here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 8:50: this cannot be read at the hit: where it lies depends on a function that calls itself [read here] [8:44: called here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 14:36: this reads 20000 bytes, and at most 16384 are captured at a hit [read here] (help: read the fields that are needed; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 15:34: this cannot be read at the hit: where it lies comes from a division or a shift by what is not constant [read here] [15:41: computed here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> c0 = 4 bytes at (((register 5 % 10) * 4) + 0x10000)
//> registers 5
//>
//> c0 = 8 bytes at thread-local 0
//> c1 = 4 bytes at (c0[0]:u64 + 12)
//> thread-local variables 0
//>
//> error 18:34: at a hit there are the thread-local variables of the thread that was hit alone [this may be another thread's] (help: a thread-local variable's bare name is that of the thread that was hit; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 19:34: at a hit there is the stack of the thread that was hit alone [this may be another thread's] (help: `_ubt()` is that of the thread that was hit; a `_oneshot` or a timer can ask for all threads)
//>
//> error 20:35: at a hit there are the general registers of the thread that was hit alone [this is not one of them, or may be another thread's] (help: `_reg("rdi")` is that of the thread that was hit; a `_oneshot` or a timer can ask for all threads)
//>
//> error 21:34: how much this asks about is no constant, so it cannot be captured at the hit [asked here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
