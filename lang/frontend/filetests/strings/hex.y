// test run
//! memory 0x1000 "hello world 12345\0\x01\xff"
_probe _oneshot {
    printf("%s", _hex((void *) 0x1000, 20));
}
//> 0x000000001000: 68 65 6c 6c 6f 20 77 6f 72 6c 64 20 31 32 33 34  hello world 1234
//> 0x000000001010: 35 00 01 ff                                      5...
