// test run
_probe _oneshot {
    int n = 0;
    for (int i = 0; i < 5; i++) {
        switch (i) {
        case 1: continue;
        case 3: break;
        default: n += 100;
        }
        n += i;
    }
    printf("%d\n", n);
}
//> 309
