// test run
void deep(int n) { if (n == 0) _exit(); deep(n - 1); }
_probe _oneshot { printf("a\n"); deep(3); }
_probe _oneshot { printf("not run\n"); }
_probe _end { printf("end\n"); }
//> a
//> end
//> _oneshot ended: exit at 2:32, from deep at 2:41, from deep at 2:41, from deep at 2:41, from _probe _oneshot at 3:34
