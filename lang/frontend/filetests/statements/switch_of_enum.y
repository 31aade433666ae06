// test run
_probe _oneshot {
    enum e { A, B = 4 } v = B;
    switch (v) { case A: puts("A"); break; case B: puts("B"); }
}
//> B
