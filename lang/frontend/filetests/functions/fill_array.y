// test run
void note(long a[int], int v) { a[v]++; }
_probe _oneshot { long a[int]; note(a, 3); note(a, 3); printf("%V\n", a); }
//> {[3] = 2}
