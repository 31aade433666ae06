// test run
// A choice between text of the target and literals is text.
//: struct peer { char *name; unsigned char *data; };
//: struct peer *peers;
//! memory 0x10000 u64 0x2000
//! memory 0x2000 u64 0x3000 0 0 0x3006
//! memory 0x3000 "first\0xy\0"
_probe _oneshot {
    for (int i = 0; i < 2; i++) {
        struct peer *p = &peers[i];
        printf("%s %s\n", p->name ? p->name : "none", p->data == NULL ? "-" : p->data);
        printf("%s\n", i == 0 ? p->name : i == 1 ? "one" : "many");
    }
}
//> first -
//> first
//> none xy
//> one
