// test capture
//! string 4096
//: struct node { struct node *next; long v; char *name; char large[20000]; char medium[5000]; };
//: struct chain { struct node *p[70]; };
//: void f(struct node *a, long n, char *s, struct chain *c);
void total(long sum, struct node *a) { printf("%ld %ld\n", sum, a->v); }
_probe f(struct node *a, long n, char *s, struct chain *c) { printf("%V\n", *a); }
_probe f(struct node *a, long n, char *s, struct chain *c) { printf("%V %V %V %V\n", a->medium, a->next->medium, a->next->next->medium, a->next->next->next->medium); }
_probe f(struct node *a, long n, char *s, struct chain *c) { printf("%s %s %s %s %s\n", s, a->name, a->next->name, a->next->next->name, a->large); }
_probe f(struct node *a, long n, char *s, struct chain *c) { long sum = 0; for (int i = 0; i < 64; i++) sum += c->p[i]->v; }
_probe f(struct node *a, long n, char *s, struct chain *c) { printf("%d\n", _readable(a, 20000)); }
_probe f(struct node *a, long n, char *s, struct chain *c) { printf("%d\n", _readable(a, n)); }
_probe f(struct node *a, long n, char *s, struct chain *c) { printf("%d\n", memcmp(a->large, a->next->large, 20000)); }
_probe f(struct node *a, long n, char *s, struct chain *c) { struct node copy = *a; printf("%ld\n", copy.v); }
_probe f(struct node *a, long n, char *s, struct chain *c) { long sum = 0; for (int i = 0; i < 64; i++) for (int j = 0; j < 64; j++) for (int k = 0; k < 64; k++) for (int l = 0; l < 64; l++) sum += i * j + k * l; total(sum, a); }
//> error 7:62: this reads 25024 bytes, and at most 16384 are captured at a hit [read here] (help: read the fields that are needed; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 8:62: the handler reads more than 16384 bytes, which is the most that is captured at a hit [this is too much] (help: a smaller `--max-string`, `_tostr(p, n)` and `%.64s` capture less of each string; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 9:62: the handler reads more than 16384 bytes, which is the most that is captured at a hit [this is too much] (help: a smaller `--max-string`, `_tostr(p, n)` and `%.64s` capture less of each string; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 10:112: the handler reads at more than 64 places, which is the most that are captured at a hit [this is too much] (help: `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 11:77: this reads 20000 bytes, and at most 16384 are captured at a hit [read here] (help: read the fields that are needed; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 12:77: how much this asks about is no constant, so it cannot be captured at the hit [asked here] (help: what an event handler reads is captured at the hit: arguments, registers and variables of the target, and what pointers from these lead to by constant or captured offsets; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 13:77: this reads 20000 bytes, and at most 16384 are captured at a hit [read here] (help: read the fields that are needed; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> error 14:81: this reads 25024 bytes, and at most 16384 are captured at a hit [read here] (help: read the fields that are needed; `--sync` stops the thread and follows such structures at the hit; a `_oneshot` or a timer follows them in memory as of then)
//>
//> c0 = 8 bytes at (register 5 + 8)
//> registers 5
