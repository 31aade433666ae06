// test run
_probe _oneshot {
    _str a[];
    _push(a, "x"); _push(a, "y");
    _foreach (i, s in a) printf("%ld%s ", i, s);
    puts("");
}
//> 0x 1y 
