// test run
_probe _oneshot {
    double v = -3.5;
    printf("char: %ld\n", (char) v);
    printf("signed char: %ld\n", (signed char) v);
    printf("short: %ld\n", (short) v);
    printf("int: %ld\n", (int) v);
    printf("long: %ld\n", (long) v);
    printf("_Bool: %ld\n", (_Bool) v);
    printf("float: %g\n", (float) v);
    printf("double: %g\n", (double) v);
}
//> char: -3
//> signed char: -3
//> short: -3
//> int: -3
//> long: -3
//> _Bool: 1
//> float: -3.5
//> double: -3.5
