// test type-error
_probe _oneshot {
    int n = 3;
    switch (n) { case n: break; }
}
//> error 4:23: a case must be an integer constant [this is `int`]
