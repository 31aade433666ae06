// test type-error
long n;
_max_overhead 2 - 3;
_max_overhead n;
_max_overhead "5";
_probe _oneshot { n++; }
//> error 3:15: a number of per cent is 0 or more [this is -1]
//> error 4:15: this must be an integer constant [its value is not known here]
//> error 5:15: this must be an integer constant [this is `_str`]
