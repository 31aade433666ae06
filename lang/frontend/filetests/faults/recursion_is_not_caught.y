// test run-error
// Call depth is a budget: no `_catch` stops it.
long deeper(long n) { return deeper(n + 1) + 1; }
_probe _oneshot {
    _try {
        deeper(0);
    } _catch (_fault f) {
        puts("caught");
    }
}
_probe _end { puts("end"); }
//> end
//> _oneshot ended: stack too deep at 3:30, from deeper at 3:30, from deeper at 3:30, from deeper at 3:30, from deeper at 3:30
