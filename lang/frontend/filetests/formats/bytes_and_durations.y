// test run
_probe _oneshot {
    printf("%hB|%hB|%hB|%hT|%hT|%hT\n", 0, 999, 123456789, 5, 1500, 61000000000);
}
//> 0 B|999 B|123.5 MB|5 ns|1.5 µs|1m01s
