// test run
//: typedef unsigned char u_char;
//: struct head { uint8_t raw[4]; int8_t small; char text[4]; u_char also[3]; uint8_t *p; };
//: struct head head;
//! memory 0x10000 u8 1 2 65 66 u8 255 "hi\0\0" u8 97 98 0 u64 0x10000
struct mine { uint8_t n; char c; };
_probe _oneshot {
    printf("%V\n", head);
    struct mine m = { 65, 65 };
    printf("%V\n", m);
    uint8_t bytes[3] = { 1, 2, 3 };
    printf("%V\n", bytes);
}
//> {raw = {1, 2, 65, 66}, small = -1, text = "hi", also = "ab", p = 0x0}
//> {n = 65, c = 'A'}
//> {1, 2, 3}
