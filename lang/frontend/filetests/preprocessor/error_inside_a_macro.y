// test parse-error
#define BAD(x) (x + )
_probe _oneshot { int a = BAD(1); }
//> error 3:27: expected an expression, found `)` [an expression must stand here]
