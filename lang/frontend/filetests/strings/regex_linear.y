// test run
_probe _oneshot {
    _str s = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    printf("%d\n", s ~~ rx/^(a*)*$/);
    printf("%d\n", s + "b" ~~ rx/^(a|a)*$/);
}
//> 1
//> 0
