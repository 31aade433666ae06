// test type-error
_probe _oneshot {
    switch (3) { case 1.5: break; }
}
//> error 3:23: a case must be an integer constant [this is `double`]
