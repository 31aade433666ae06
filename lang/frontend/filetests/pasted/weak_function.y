// test run
// A weak function of a library gives way to the one that was pasted, wherever either stands.
//! file library.y
//| __attribute__((weak)) int both(int n) { return n + 1; }
//| static inline int __attribute__((weak)) mine(int n) { return both(n) * 10; }
//| int only(void) { return 7; } __attribute__((__weak__)) int later(void) { return 3; }
int later(void) { return 4; }
#include "library.y"
int both(int n)
{
    return n + 2;
}
_probe _oneshot {
    printf("%d %d %d %d\n", both(1), mine(1), only(), later());
}
//> 3 30 7 4
