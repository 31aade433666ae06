// test run
//: int counter;
_probe _oneshot {
    printf("%d %s\n", _uaddr("counter") == (void *) &counter, _usym(&counter));
}
//> 1 0x10000
