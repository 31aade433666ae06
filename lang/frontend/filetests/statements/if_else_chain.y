// test run
_probe _oneshot {
    for (int i = 0; i < 4; i++) { if (i == 0) puts("zero"); else if (i == 1) puts("one"); else puts("many"); }
}
//> zero
//> one
//> many
//> many
