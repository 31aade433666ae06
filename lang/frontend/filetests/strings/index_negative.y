// test run-error
_probe _oneshot {
    _str s = "abc";
    int i = -1;
    printf("%d\n", s[i]);
}
//> _oneshot ended: index out of range: index -1 is outside of a string of 3 bytes at 5:20
