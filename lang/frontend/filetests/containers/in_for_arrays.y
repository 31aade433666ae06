// test type-error
_probe _oneshot {
    long a[];
    int n = 0 in a;
}
//> error 4:18: `in` looks for a key of a table [this is `long []`] (help: to look for an element of an array, loop over it with `_foreach`)
