// test run
struct flags { unsigned a : 3; int b : 5; unsigned c : 12; unsigned long d : 40; };
_probe _oneshot {
    struct flags f;
    f.a = 9;
    f.b = 17;
    f.c = 0xabc;
    f.d = 0xffffffffff;
    printf("%d %d %x %lx\n", f.a, f.b, f.c, (unsigned long) f.d);
    f.c++;
    f.b -= 1;
    f.a |= 6;
    printf("%d %d %x\n", f.a, f.b, f.c);
    printf("%d\n", f.a = 12);
}
//> 1 -15 abc ffffffffff
//> 7 -16 abd
//> 4
