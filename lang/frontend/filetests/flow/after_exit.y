// test type
_probe _oneshot { _exit(); puts("y"); }
//> warning 2:28: this is never reached [what stands before it always leaves]
//> _probe _oneshot() -> void
