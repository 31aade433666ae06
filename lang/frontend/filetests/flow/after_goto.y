// test type
_probe _oneshot { goto out; puts("x"); out: puts("y"); }
//> warning 2:29: this is never reached [what stands before it always leaves]
//> _probe _oneshot() -> void
