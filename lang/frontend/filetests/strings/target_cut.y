// test run
//! string 4
//! memory 0x1000 "abcdefgh\0"
_probe _oneshot {
    puts(_tostr((char *) 0x1000));
    puts(_tostr((char *) 0x1000, 3));
}
//> abcd…
//> abc
