// test parse-error
_view histogram "A" "bytes" _hist_linear(0, 10 _agg a;
_probe _oneshot { }
//> error 2:48: expected `)` or `,`, found `_agg` [`)` or `,` must stand here]
//> error 2:54: `)` is missing [`)` must stand before this `;`] [2:41: opened here]
