// test run
_probe _oneshot {
    for (int i = 0; i < 100; i++) assert(_randint(7) < 7);
    printf("%lu\n", _randint(1));
}
//> 0
