// test type-error
_option int size[2] = 3;
_option int three[3];
_option double share[2];
_probe _oneshot { printf("%d\n", size[0]); }
//> error 2:23: a range has no default [without one it is all that its type has] (help: leave it out)
//> error 3:9: an option is an integer, a float, a `_Bool`, a `_str`, or two integers for a range [this is `int [3]`]
//> error 4:9: an option is an integer, a float, a `_Bool`, a `_str`, or two integers for a range [this is `double [2]`]
