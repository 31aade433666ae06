// test type
_probe _oneshot { if (_pid()) _exit(); else _next(); puts("y"); }
//> warning 2:54: this is never reached [what stands before it always leaves]
//> _probe _oneshot() -> void
