// test run
_probe _oneshot {
    signed char v = -2;
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
//> char: -2
//> signed char: -2
//> unsigned char: 254
//> short: -2
//> unsigned short: 65534
//> int: -2
//> unsigned: 4294967294
//> long: -2
//> unsigned long: 18446744073709551614
//> _Bool: 1
//> float: -2
//> double: -2
