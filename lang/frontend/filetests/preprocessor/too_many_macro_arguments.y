// test parse-error
#define F(a) a
_probe _oneshot { int x = F(1, 2); }
//> error 3:27: the macro `F` takes 1 arguments, not 2 [used here]
