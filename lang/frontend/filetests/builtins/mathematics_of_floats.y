// test run
_probe _oneshot {
    printf("%g %g %g %g %g %g %g %g\n", fabsf(-1.5f), fmodf(7.5f, 2), remainderf(7.5f, 2), sqrtf(2), logf(1), floorf(-1.5f), ceilf(-1.5f), powf(2, 10));
    printf("%zu %zu\n", sizeof(fabsf(1)), sizeof(fabs(1)));
}
//> 1.5 1.5 -0.5 1.41421 0 -2 -1 1024
//> 4 8
