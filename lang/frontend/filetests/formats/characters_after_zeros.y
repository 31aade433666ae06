// test run
//: struct name { char text[8]; unsigned char raw[6]; char none[4]; };
//: struct name name;
//! memory 0x10000 "\0\0abc\0\0\0" u8 65 0 66 0 200 0 "\0\0\0\0"
_probe _oneshot {
    printf("%V\n", name);
    struct name mine = name;
    printf("%V\n", mine);
    char first[3] = { 0, 1, 0 };
    printf("%V\n", first);
}
//> {text = "\000\000abc", raw = "A\000B\000\310", none = ""}
//> {text = "\000\000abc", raw = "A\000B\000\310", none = ""}
//> "\000\001"
