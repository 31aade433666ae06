// test run
_probe _oneshot {
    unsigned long v = 0xFFFFFFFFFFFFFFFFul;
    switch (v) { case 0xFFFFFFFFFFFFFFFFul: puts("max"); break; default: puts("no"); }
}
//> max
