// test parse-error
_probe _oneshot { long t[int]; _foreach (a, b, c in t) puts("x"); }
//> error 2:46: expected `in`, found `,` [`in` must stand here]
