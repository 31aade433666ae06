// test run
_probe _oneshot {
    printf("%d %d %d %d %d\n", 'a', '\n', '\0', '\x41', '\101');
}
//> 97 10 0 65 65
