// test type-error
_probe _oneshot {
    int n = 1;
    enum e { A = n };
}
//> error 4:18: this must be an integer constant [its value is not known here]
