// test run
_probe _oneshot {
    _Bool v = 1;
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
//> char: 1
//> signed char: 1
//> unsigned char: 1
//> short: 1
//> unsigned short: 1
//> int: 1
//> unsigned: 1
//> long: 1
//> unsigned long: 1
//> _Bool: 1
//> float: 1
//> double: 1
