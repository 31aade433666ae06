// test run
_probe _oneshot {
    printf("%d %d %d %u %ld %lu %d\n", 10, 0x1F, 017, 4294967295u, 5000000000, 0xFFFFFFFFFFFFFFFFul, 0b101);
}
//> 10 31 15 4294967295 5000000000 18446744073709551615 5
