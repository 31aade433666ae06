// test run-error
//! steps 1000
//! show steps
_probe _oneshot {
    for (;;) ;
}
//> initialize: 1 steps
//> _oneshot ended: steps exhausted at 5:5
//> _oneshot: 1000 steps
