// test run
void note(_agg a, int v) { a <<< v; }
_probe _oneshot { _agg a; note(a, 3); note(a, 5); printf("%ld %ld\n", _count(a), _sum(a)); }
//> 2 8
