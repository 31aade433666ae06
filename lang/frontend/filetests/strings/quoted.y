// test run
_probe _oneshot {
    puts(_tostr_quoted("a\t\"b\"\\ \x01"));
}
//> "a\t\"b\"\\ \001"
