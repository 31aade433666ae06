// test run
_probe _oneshot {
    for (int i = 0; i < 3; i++) switch (i) { default: puts("other"); break; case 1: puts("one"); }
}
//> other
//> one
//> other
