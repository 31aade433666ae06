// test type-error
_option struct { int a; } x;
_probe _oneshot { }
//> error 2:9: an option is an integer, a float, a `_Bool` or a `_str` [this is `struct { … }`]
