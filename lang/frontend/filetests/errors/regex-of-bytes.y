// test type-error
// Expressions are over bytes when they run, so they are when they are checked.
_probe _oneshot {
    int a = "x" ~~ rx/\pL/;
    int b = "x" ~~ rx/[“]/;
    int c = "x" ~~ rx/[[:alnum:]_]+$/;
}
//> error 4:20: this is not a regular expression [Unicode not allowed here]
//> error 5:20: this is not a regular expression [Unicode not allowed here]
