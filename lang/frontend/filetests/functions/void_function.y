// test run
long n;
void tick(void) { n++; }
_probe _oneshot { tick(); tick(); printf("%ld\n", n); }
//> 2
