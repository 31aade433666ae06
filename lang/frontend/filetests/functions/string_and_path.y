// test run
_str quote(_str s) { return "<" + s + ">"; }
_path under(_path p, _str s) { return p / s; }
_probe _oneshot { _path p; printf("%s %V\n", quote("a"), under(under(p, "x"), "y")); }
//> <a> x / y
