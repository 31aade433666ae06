// test run-error
_probe _oneshot {
    _raise("the list has no end");
}
//> _oneshot ended: raised: the list has no end at 3:5
