// test run
//! file "a.y"
//! file b.y
//| int twice(int a) { return a * 2; }
#include "b.y"
#include "b.y"
_probe _oneshot { printf("%d\n", twice(4)); }
//> 8
