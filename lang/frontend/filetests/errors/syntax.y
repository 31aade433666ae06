// test parse-error
_probe _oneshot {
    int x = ;
    y = 5 5;
    if (x {
    }
}
//> error 7:1: `)` is missing [found `}`, expected `)`] [5:8: opened here]
//> error 3:13: expected an expression, found `;` [an expression must stand here]
//> error 4:11: expected `;`, found `5` [`;` must stand here]
//> error 5:11: expected `)` or `,`, found `{` [`)` or `,` must stand here]
