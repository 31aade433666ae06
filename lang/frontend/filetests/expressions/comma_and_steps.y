// test run
_probe _oneshot {
    int a = (1, 2, 3);
    printf("%d\n", a);
    printf("%d %d %d\n", a++, a, ++a);
    printf("%d %d\n", a--, --a);
    double d = 0.5;
    d++;
    printf("%.1f\n", d);
    _Bool b = 0;
    b += 1;
    b += 1;
    printf("%d\n", b);
    b -= 1;
    printf("%d\n", b);
}
//> 3
//> 3 4 5
//> 5 3
//> 1.5
//> 1
//> 0
