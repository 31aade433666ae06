// test type
_probe _begin { if (_pid() == 1) _exit(); }
_probe _oneshot { }
//> _probe _begin() -> void
//> _probe _oneshot() -> void
