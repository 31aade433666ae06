// test type-error
_probe _oneshot {
    switch (1.5) { case 1: break; }
}
//> error 3:13: `switch` takes an integer [this is `double`] (help: compare with `if … else if …`)
