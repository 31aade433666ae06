// test capture
//: struct conn { int fd; unsigned short port; long bytes; struct conn *next; char *name; };
//: void accepted(struct conn *c, long n);
struct conn *listener;
int enabled;
short least = 3;
long total;
_str name;
long ports[4];
void count(long n) { total += n; }
_probe _begin { listener = (struct conn *) 0x5000; enabled = 1; name = "x"; ports[1] = 7; }
_probe _timer.s(1) { enabled = !enabled; least--; }
_probe accepted(struct conn *c, long n) {
    if (!enabled || n < least) return;
    count(listener->next->bytes);
}
_probe accepted(struct conn *c, long n) {
    if (total > 100) return;
    if (c == listener) printf("%d", c->fd);
}
_probe accepted(struct conn *c, long n) {
    if (c->port != ports[1]) return;
    puts(name);
}
//>
//> globals 8:u32 16:u16
//>
//> drop if (i32(global 8:u32) == 0)
//> drop if (register 4 < signed i16(global 16:u16))
//> c0 = 8 bytes at (global 0:u64 + 16)
//> c1 = 8 bytes at (c0[0]:u64 + 8)
//> registers 4
//> globals 0:u64 8:u32 16:u16
//> not counted: a handler of an event reads it, or does something else with it than to add to it
//>
//> c0 = 4 bytes at register 5
//> registers 5
//> globals 0:u64
//>
//> c0 = 2 bytes at (register 5 + 4)
//> registers 5
