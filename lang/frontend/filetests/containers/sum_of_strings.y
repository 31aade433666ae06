// test type-error
_probe _oneshot {
    _str t[int];
    long n = _sum(t);
}
//> error 4:19: `_sum` needs numbers [the values are `_str`] (help: only numbers can be summed and compared here)
