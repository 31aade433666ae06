// test run
// How long calls take.
//: int work(int n);
//! hit work rdi=1
//! return work rax=0
//! hit work rdi=2
//! return work rax=1
_agg took;
_probe work(int n) -> int r { took <<< _now_ns() - _entry(_now_ns()); }
_probe _end { printf("%d calls, all %d\n", _count(took), _min(took) > 0); }
//> 2 calls, all 1
