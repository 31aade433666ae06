// test run
float half(float a) { return a / 2; }
_probe _oneshot { printf("%g %g\n", half(3), half(1.25)); }
//> 1.5 0.625
