// test run
_probe _oneshot {
    long ns = _now_ns();
    printf("%d %d %d\n", _now_us() >= ns / 1000, _now_ms() >= ns / 1000000, _now_s() >= ns / 1000000000);
}
//> 1 1 1
