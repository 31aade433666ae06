// test run
_probe _oneshot {
    printf("%g %g %g %g\n", 1.5, 1e3, .5, 2.5f);
}
//> 1.5 1000 0.5 2.5
