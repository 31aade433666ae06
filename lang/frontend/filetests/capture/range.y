// test capture
//! arguments --size 256K..512K
_option size_t size[2];
long n;
_probe _oneshot {
    size_t bytes = _reg("rdi");
    if (bytes < size[0] || bytes > size[1])
        return;
    n += bytes;
}
//> drop if (register 5 < 0x40000)
//> drop if (register 5 > 0x80000)
//> registers 5
//> count if ((register 5 >= 0x40000) & (register 5 <= 0x80000)): global 16 at 16:i64 += register 5
