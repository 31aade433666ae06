// test run-error
//! memory 0x1ff0 u8 1
_probe _oneshot {
    int *p = (int *) 0x1ffe;
    printf("%d\n", *p);
}
//> _oneshot ended: unmapped: address 0x2000 is not mapped at 5:20
