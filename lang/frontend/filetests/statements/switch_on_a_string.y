// test type-error
_probe _oneshot {
    _str s = "a";
    switch (s) { case 1: break; }
}
//> error 4:13: `switch` takes an integer [this is `_str`] (help: compare with `if … else if …`)
