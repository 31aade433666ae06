// test run
_probe _oneshot {
    printf("%d %d %d\n", 'a', '\n', '\x41');
    printf("%c%c\n", 'h', 105);
}
//> 97 10 65
//> hi
