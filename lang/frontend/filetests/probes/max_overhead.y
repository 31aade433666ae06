// test run
_option int most = 7;
_max_overhead most / 2;
_probe _oneshot { puts("no probe on an event"); }
//> no probe on an event
