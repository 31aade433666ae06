// test run
// That of a sample: the squares of 2 4 4 4 5 5 7 9 from their average 5 sum to 32, and 32 / 7 is 4.57.
_probe _oneshot {
    _agg a;
    printf("%ld\n", _variance(a));
    a <<< 2;
    printf("%ld\n", _variance(a));
    a <<< 4; a <<< 4; a <<< 4; a <<< 5; a <<< 5; a <<< 7; a <<< 9;
    printf("%ld\n", _variance(a));
}
//> 0
//> 0
//> 4
