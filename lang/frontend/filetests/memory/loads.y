// test run
//! memory 0x1000 u32 7 -2 u16 -3
//! memory 0x1010 f64 2.5 f32 -0.25
//! memory 0x10fe u8 8 7 6 5 4 3 2 1
_probe _oneshot {
    printf("%d %u %d\n", *(int *) 0x1000, *(unsigned *) 0x1004, *(short *) 0x1008);
    printf("%d %d\n", *(signed char *) 0x1004, *(unsigned char *) 0x1004);
    printf("%ld\n", *(long *) 0x10fe);
    printf("%.2f %.2f\n", *(double *) 0x1010, *(float *) 0x1018);
    int *p = (int *) 0x1000;
    printf("%d %d\n", p[0], p[1] == -2);
}
//> 7 4294967294 -3
//> -2 254
//> 72623859790382856
//> 2.50 -0.25
//> 7 1
