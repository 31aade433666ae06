// test run
_probe _oneshot {
    char composite[1000];
    int count = 0;
    for (int i = 2; i < 1000; i++) {
        if (composite[i]) continue;
        count++;
        for (int j = i + i; j < 1000; j += i) composite[j] = 1;
    }
    printf("%d\n", count);
}
//> 168
