// test type-error
_probe _oneshot {
    switch (3) { default: break; default: break; }
}
//> error 3:34: a second `default` [there can be one]
