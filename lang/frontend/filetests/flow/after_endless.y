// test type
_probe _oneshot { for (;;) { puts("x"); } puts("y"); }
//> warning 2:43: this is never reached [what stands before it always leaves]
//> _probe _oneshot() -> void
