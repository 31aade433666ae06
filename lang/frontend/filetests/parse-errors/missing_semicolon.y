// test parse-error
_probe _oneshot { int a = 1
int b; }
//> error 2:27: `;` is missing [`;` must stand here]
