// test run
_probe _oneshot {
    int s = 0;
    for (int i = 0; i < 10; i++) { if (i % 2) continue; s += i; }
    printf("%d\n", s);
}
//> 20
