// test parse-error
#define S(a) #b
_probe _oneshot { puts(S(1)); }
//> error 2:14: `#` makes a string of a parameter [no parameter follows]
