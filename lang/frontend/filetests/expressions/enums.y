// test run
_probe _oneshot {
    enum color { RED, GREEN = 5, BLUE };
    enum color c = BLUE;
    printf("%d %d %d\n", RED, GREEN, c);
    printf("%d\n", c == BLUE ? 1 : 2);
}
//> 0 5 6
//> 1
