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
//> 1 2 0
