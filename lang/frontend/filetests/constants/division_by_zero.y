// test type-error
_probe _oneshot {
    int a[1 / 0];
}
//> error 3:11: this must be an integer constant [its value is not known here]
//> warning 3:15: this division always faults [this is zero]
