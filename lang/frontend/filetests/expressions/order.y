// test run
_probe _oneshot {
    int x = 2;
    printf("%d\n", x + (x = 5));
    int i = 0;
    int a[3];
    a[i++] = i;
    printf("%d %d\n", a[0], i);
    x = 10;
    x += x++;
    printf("%d\n", x);
}
//> 7
//> 1 1
//> 21
