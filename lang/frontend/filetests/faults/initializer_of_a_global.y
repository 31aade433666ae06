// test run-error
int first = *(int *) 0x10;
long table[int];
_probe _oneshot { table[1] = 2; }
_probe _end { printf("%ld\n", _len(table)); }
//> initialize ended: unmapped: address 0x10 is not mapped at 2:13
