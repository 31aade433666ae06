// test type
_probe _begin { puts("x"); _exit(); }
_probe _oneshot { }
_probe _timer.s(1) { }
_probe _end { }
//> warning 3:1: this probe never runs [2:28: the session always ends here]
//> warning 4:1: this probe never runs [2:28: the session always ends here]
//> _probe _begin() -> void
//> _probe _oneshot() -> void
//> _probe _timer.s(1)() -> void
//> _probe _end() -> void
