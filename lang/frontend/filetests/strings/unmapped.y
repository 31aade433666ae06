// test run-error
_probe _oneshot {
    _str s = _tostr((char *) 0x10);
}
//> _oneshot ended: unmapped: address 0x10 is not mapped at 3:14
