// test type-error
_probe _oneshot {
    int a[1 / 0];
}
//> error 3:11: the length of an array must be a constant [its value is known only when the probe runs] (help: there are no arrays of variable length; one that grows is `[]`, and `_push` appends to it)
//> warning 3:15: this division always faults [this is zero]
