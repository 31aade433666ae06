// test type-error
_option struct { int a; } x;
_probe _oneshot { }
//> error 2:9: an option is an integer, a float, a `_Bool`, a `_str`, or two integers for a range [this is `struct { … }`]
