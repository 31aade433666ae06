// test run
_probe _oneshot {
    printf("%d %d %d\n", "ABC" ~~ rx/(?i)abc/, "a1_" ~~ rx/^[[:alnum:]_]+$/, "x y" ~~ rx/\s/);
}
//> 1 1 1
