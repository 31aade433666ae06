// test run-error
//! memory 0x1000 u64 0x666000
int *deref(int **p) { return *p; }
int twice(int **p) { return *deref(p); }
_probe _oneshot { printf("%d\n", twice((int **) 0x1000)); }
//> _oneshot ended: unmapped: address 0x666000 is not mapped at 4:29, from _probe _oneshot at 5:34
