// test parse-error
struct s { int a; }
_probe _oneshot { }
//> error 2:19: expected a name, found the end [a name must follow]
