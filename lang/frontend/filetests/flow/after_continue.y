// test type
_probe _oneshot { for (int i = 0; i < 2; i++) { continue; puts("x"); } }
//> warning 2:59: this is never reached [what stands before it always leaves]
//> _probe _oneshot() -> void { i: int }
