// test parse-error
#define F(a) a
_probe _oneshot { int x = F(1; }
//> error 3:27: the arguments of the macro `F` never end [no `)` follows] [2:9: the macro is defined here]
//> error 3:30: `)` is missing [`)` must stand before this `;`] [3:28: opened here]
