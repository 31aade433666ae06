// test parse-error
#define F(a, b) a b
_probe _oneshot { int x = F(1); }
//> error 3:27: the macro `F` takes 2 arguments, not 1 [used here]
