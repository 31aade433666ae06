// test run
_probe _oneshot {
    _str s = "a,b,,c";
    _str t;
    while ((t = _chop_token(s, ","))) printf("%s|", t);
    puts(s);
}
//> a|b|c|
