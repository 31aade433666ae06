// test run-error
//! steps 1000
_probe _oneshot {
    _try { for (;;) ; } _catch { printf("never\n"); }
}
//> _oneshot ended: steps exhausted at 4:12
