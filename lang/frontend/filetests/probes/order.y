// test run
int n;
_probe _end { printf("end %d\n", n); }
_probe _oneshot { printf("first %d\n", n++); _next(); printf("never\n"); }
_probe _oneshot { printf("second %d\n", n++); }
_probe _begin { printf("begin %d\n", n++); }
//> warning 4:55: this is never reached [what stands before it always leaves]
//> begin 0
//> first 1
//> second 2
//> end 3
//> _oneshot ended: next at 4:46
