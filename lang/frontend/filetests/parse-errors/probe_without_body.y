// test parse-error
_probe _oneshot;
//> error 2:16: expected `{`, found `;` [`{` must stand here]
