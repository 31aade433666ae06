// test parse-error
_probe _oneshot { int a = ; int b = 3 +; puts("x" "y"; }
int f( { }
//> error 2:27: expected an expression, found `;` [an expression must stand here]
//> error 2:40: expected an expression, found `;` [an expression must stand here]
//> error 2:54: `)` is missing [`)` must stand before this `;`] [2:46: opened here]
//> error 3:6: a bracket is never closed [opened here] (help: the end of the file comes first)
