// test parse-error
_probe _oneshot { puts("x"; }
//> error 2:27: `)` is missing [`)` must stand before this `;`] [2:23: opened here]
