// test type-error
_mode copy;
_probe _oneshot { puts("never"); }
//> error 2:7: `_mode` does not take `copy` [the only mode that a program may choose is `live`] (help: all others are for the user to choose: `--mode copy`, `--mode stop`)
