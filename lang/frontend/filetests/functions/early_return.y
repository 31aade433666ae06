// test run
void show(int n) {
    if (n < 0) return;
    printf("%d ", n);
}
int none() { }
_probe _oneshot {
    show(1); show(-1); show(2);
    printf("%d\n", none());
}
//> warning 6:5: `none` may end without a value [it returns `int`; 0 is used] (help: end it with `return …;`)
//> 1 2 0
