// test type
_probe _oneshot { int a = 1; a; a + 1; -a; a == 1; "x"; _pid(); }
//> warning 2:30: the result is not used [this computes `int` and drops it]
//> warning 2:33: the result is not used [this computes `int` and drops it]
//> warning 2:40: the result is not used [this computes `int` and drops it]
//> warning 2:44: the result is not used [this computes `int` and drops it]
//> warning 2:52: the result is not used [this computes `_str` and drops it]
//> _probe _oneshot() -> void { a: int }
