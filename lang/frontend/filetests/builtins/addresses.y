// test run
//: int counter;
_probe _oneshot {
    printf("%d %s\n", _uaddr("counter") == (void *) &counter, _usym(&counter));
    printf("%ld %ld\n", _object_bytes((void *) 0x400000), _object_bytes(&counter));
}
//> 1 0x10000
//> 12288 -1
