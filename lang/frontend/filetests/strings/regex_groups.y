// test run
_probe _oneshot {
    _str s = "key=value; k2=v2";
    if (s ~~ rx/(\w+)=(\w+); (\w+)=(x)?/) printf("%s|%s|%s|%s|%s\n", $0, $1, $2, $3, $4);
}
//> key=value; k2=|key|value|k2|
