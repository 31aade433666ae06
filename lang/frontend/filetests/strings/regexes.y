// test run
_probe _oneshot {
    _str s = "GET /index.html HTTP/1.1";
    if (s ~~ rx/^(\w+) (\S+)/) printf("%s %s\n", $1, $2);
    if (s !~~ rx/POST/) printf("no post\n");
}
//> GET /index.html
//> no post
