// test run
_probe _oneshot {
    unsigned v = 4000000000;
    printf("char: %ld\n", (char) v);
    printf("signed char: %ld\n", (signed char) v);
    printf("unsigned char: %ld\n", (unsigned char) v);
    printf("short: %ld\n", (short) v);
    printf("unsigned short: %ld\n", (unsigned short) v);
    printf("int: %ld\n", (int) v);
    printf("unsigned: %ld\n", (unsigned) v);
    printf("long: %ld\n", (long) v);
    printf("unsigned long: %lu\n", (unsigned long) v);
    printf("_Bool: %ld\n", (_Bool) v);
    printf("float: %g\n", (float) v);
    printf("double: %g\n", (double) v);
}
//> char: 0
//> signed char: 0
//> unsigned char: 0
//> short: 10240
//> unsigned short: 10240
//> int: -294967296
//> unsigned: 4000000000
//> long: 4000000000
//> unsigned long: 4000000000
//> _Bool: 1
//> float: 4e+09
//> double: 4e+09
