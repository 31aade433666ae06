// test parse-error
_probe _oneshot {
    int x = ;
    y = 5 5;
    if (x {
    }
}
//> error 3:13: expected an expression, found `;` [an expression must stand here]
//> error 4:11: expected `;`, found `5` [`;` must stand here]
//> error 5:11: `)` is missing [`)` must stand before this `{`] [5:8: opened here]
