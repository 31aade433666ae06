// test run
//: union bits { double real; unsigned long number; };
//: union half { float real; unsigned number; };
union bits b;
union half h;
_probe _oneshot {
    b.number = 0xffffffffffffffd6;
    b.real *= 0.0 / 0.0;
    printf("%lx\n", b.number);
    b.number = 0xffffffffffffffd6;
    b.real = 0.0 / 0.0 - b.real;
    printf("%lx\n", b.number);
    h.number = 0xffffffd6;
    h.real = h.real + 1.0f;
    printf("%x\n", h.number);
    h.number = 0xffffffd6;
    b.real = h.real;
    printf("%lx\n", b.number);
}
//> 7ff8000000000000
//> 7ff8000000000000
//> 7fc00000
//> 7ff8000000000000
