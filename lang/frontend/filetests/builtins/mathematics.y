// test run
_probe _oneshot {
    printf("%g %g %g %g %g %g %g %g\n", fabs(-1.5), fmod(7.5, 2), remainder(7.5, 2), sqrt(2), _log1(1), floor(-1.5), ceil(-1.5), pow(2, 10));
}
//> 1.5 1.5 -0.5 1.41421 0 -2 -1 1024
