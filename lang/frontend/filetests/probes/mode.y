// test run
_mode live;
_probe _oneshot { puts("live"); }
//> live
