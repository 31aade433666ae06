// test run
_probe _oneshot {
    int a = 1, b = 0;
    if (a) if (b) puts("both"); else puts("a only");
}
//> a only
