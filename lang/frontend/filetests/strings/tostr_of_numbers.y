// test run
_probe _oneshot {
    char c = -1; unsigned long u = 18446744073709551615ul; double d = 1.5; _Bool b = 1;
    printf("%s %s %s %s\n", _tostr(c), _tostr(u), _tostr(d), _tostr(b));
}
//> -1 18446744073709551615 1.5 1
