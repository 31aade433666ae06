// test type
_probe _oneshot { for (;;) { break; puts("x"); } }
//> warning 2:37: this is never reached [what stands before it always leaves]
//> _probe _oneshot() -> void
