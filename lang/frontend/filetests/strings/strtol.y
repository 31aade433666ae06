// test run
_probe _oneshot {
    printf("%ld %ld %ld %ld %ld %ld\n", _strtol("42"), _strtol(" -7x"), _strtol("0x1f", 16), _strtol("777", 8), _strtol("zz", 36), _strtol("none"));
}
//> 42 -7 31 511 1295 0
