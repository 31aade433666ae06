// test run-error
//! stack 100
long deep(int n) { return n ? deep(n - 1) : 0; }
_probe _begin { puts("begin"); }
_probe _oneshot { long a[100]; a[0] = deep(2); puts("not reached"); }
_probe _end { puts("end"); }
//> begin
//> end
//> _oneshot ended: stack too deep at 5:1
