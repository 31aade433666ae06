// test type-error
//: int g;
_probe _oneshot {
    int n = _tls(1, g);
}
//> error 4:21: `g` is not thread-local [all threads share it] (help: write `g`)
