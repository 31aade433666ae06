// test type-error
//: void f(int n);
long count(int n) { return _every(100, n); }
long twice(int n) { return count(n) + count(n); }
void where() { printf("%s", _func()); }
_probe f(int n) { printf("%d", twice(n)); }
_probe _oneshot { printf("%d", twice(3)); }
_probe _begin { where(); }
_probe _end { printf("%d", _every(5, 5)); }
_probe _timer.s(1) { printf("%d", _arg(0)); }
_probe f(int n) { printf("%d %d %d", _arg(n), _arg(-1), _arg(100)); }
_probe f(int n) { printf("%d %d", _reg("edi"), _reg("rdx2")); }
_probe f(int n) { printf("%d", _every(0, n)); }
_probe _addr(0x400000) { printf("%s %d", _func(), _arg(0)); }
_probe _timer.profile(99) { printf("%s", _func()); }
long argument() { return _arg(0); }
//> error 7:1: `_every` belongs to probes on events [this probe is on none, and reaches it] [7:32: by this call] [3:28: where it stands] (help: `_probe _oneshot` calls `twice` calls `count`)
//> error 8:1: `_func` belongs to probes on events [this probe is on none, and reaches it] [8:17: by this call] [5:29: where it stands] (help: `_probe _begin` calls `where`)
//> error 9:28: `_every` belongs to probes on events [this probe is on none] (help: write `_probe f(T a, U b) { … }` for a function of the target)
//> error 10:35: `_arg` belongs to the body of a probe on an event [this probe is on none] (help: write `_probe f(T a, U b) { … }` for a function of the target)
//> error 11:43: this must be an integer constant [its value is not known here]
//> error 11:52: no such argument [they are counted from 0, and -1 is out of reach]
//> error 11:62: no such argument [they are counted from 0, and 100 is out of reach]
//> error 12:40: no register `edi` of x86-64 [no such register] (help: did you mean `rdi`?)
//> error 12:53: no register `rdx2` of x86-64 [no such register] (help: did you mean `rdx`?)
//> error 13:32: `_every(n, bytes)` takes one sample in n bytes [n is 0 here]
//> error 14:42: this point is not one of functions [so there is no function that was hit] (help: where the thread is, `_usym(_pc_reg())` tells)
//> error 14:51: this point has no arguments [only functions, static probes and some events have] (help: registers are `_reg("rdi")`)
//> error 15:42: this point is not one of functions [so there is no function that was hit] (help: where the thread is, `_usym(_pc_reg())` tells)
//> error 16:26: `_arg` belongs to the body of a probe on an event [a function may be called from any probe] (help: hand `_arg(…)` to it as an argument)
