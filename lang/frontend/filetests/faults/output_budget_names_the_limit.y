// test run-error
//! output 17
_probe _oneshot {
    puts("0123456789abcdef");
    puts("0123456789abcdef");
}
//> 0123456789abcdef
//> _oneshot ended: output exhausted: the limit of 17 bytes is reached at 5:5
