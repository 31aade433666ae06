// test run
_probe _oneshot {
    _try { _try { _raise("one"); } _catch (_fault f) { _raise("two after " + f.message); } } _catch (_fault g) { printf("%s\n", g.message); }
}
//> two after one
