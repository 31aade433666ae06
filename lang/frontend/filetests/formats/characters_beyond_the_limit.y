// test run
//! string 8
//: char text[40];
//: char zeros[40];
//! memory 0x10000 "\0bcdefghijk\0"
//! memory 0x1000c u64 0 0 0 u32 0
//! memory 0x11000 "abc\0"
//! memory 0x11004 u64 0 0 0 0 u32 0
_probe _oneshot {
    printf("%V\n", text);
    printf("%V\n", zeros);
}
//> "\000bcdefgh"…
//> "abc"
