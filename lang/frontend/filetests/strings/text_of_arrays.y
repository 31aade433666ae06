// test run
//: struct conf { int n; char name[6]; };
//: struct conf conf;
//! memory 0x10000 u32 1 "abc\0de"
_probe _oneshot {
    struct conf mine = conf;
    _str s = _tostr(mine.name);
    printf("%s|%5s|%-5s|%.2s|%s\n", s, mine.name, mine.name, mine.name, conf.name);
    printf("%s|%d|%d\n", _tostr(mine.name, 2), strcmp(mine.name, "abc"), (int) strlen(mine.name));
    puts(mine.name);
    _print(mine.name, " ", conf.name, "\n");
    char full[3] = { 'x', 'y', 'z' };
    char none[2];
    unsigned char raw[4] = { 1, 200, 65, 0 };
    printf("%s|%s|%s\n", full, none, raw);
    printf("%V %V\n", mine.name, full);
    if (_tostr(mine.name) == "abc")
        puts("yes");
}
//> abc|  abc|abc  |ab|abc
//> ab|0|3
//> abc
//> abc abc
//> xyz||\x01\xc8A
//> "abc\000de" "xyz"
//> yes
