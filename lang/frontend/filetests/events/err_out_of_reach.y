// test type-error
//: long double precise(int n);
//: void f(int n, long double x);
_probe precise(int n) -> r { }
_probe precise(int n) -> long double r { printf("%d", sizeof(r)); }
_probe precise(int n) -> long double unused { printf("%d", n); }
//> error 5:38: `r` cannot be read: it is in a register of the x87 unit, which cannot be read [this is `long double`]
