// test type-error
_probe _oneshot {
    _str s = "abc";
    s[0] = 65;
    s[1]++;
}
//> error 4:5: a `_str` never changes [this is a byte of one] (help: make another: `s = "A" + _substr(s, 1, _len(s))`; an array of `char` can be written to)
//> error 5:5: a `_str` never changes [this is a byte of one] (help: make another: `s = "A" + _substr(s, 1, _len(s))`; an array of `char` can be written to)
