// test parse-error
_probe _oneshot { long t[int]; _foreach (k) puts("x"); }
//> error 2:43: expected `in` or `,`, found `)` [`in` or `,` must stand here]
