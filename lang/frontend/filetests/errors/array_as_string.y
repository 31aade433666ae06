// test type-error
struct conf { char name[6]; };
_probe _oneshot {
    struct conf mine;
    _str s = mine.name;
    if (mine.name == "a")
        puts("b");
}
//> error 5:14: the value of `s` must be `_str` [this is `char [6]`] (help: its text is `_tostr(a)`)
//> error 6:9: `char [6]` and `_str` cannot be compared [these do not go together] (help: the text of an array is `_tostr(a)`; `strcmp(a, b)` takes it, too)
