// test run
_probe _oneshot {
    printf("[%s][%s][%s][%s]\n", _substr("abc", 1, 100), _substr("abc", 5, 1), _substr("abc", -1, 2), _substr("abc", 1, -1));
}
//> [bc][][a][]
