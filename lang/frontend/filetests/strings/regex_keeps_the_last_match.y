// test run
_probe _oneshot {
    _str s = "abc";
    if (s ~~ rx/b(.)/) puts($1);
    printf("%d %s\n", s ~~ rx/z/, $1);
}
//> c
//> 0 c
