// test run
// Parameters at a return are as of entry, memory is as of return, and `_entry` looks back.
//: struct buf { int len; struct buf *next; double load; };
//: int fill(struct buf *b, int n);
//: int total;
//! memory 0x5000 u32 3 0 u64 0x5020 f64 0.5
//! memory 0x5020 u32 100 0 u64 0
//! memory 0x10000 u32 40
//! hit fill rdi=0x5000 rsi=9 rsp=0x7000
//! memory 0x5000 u32 12
//! memory 0x10000 u32 49
//! memory 0x5010 f64 0.75
//! return fill rdi=0 rsi=0 rax=12
_probe fill(struct buf *b, int n) -> int r {
    printf("fill(%p, %d) = %d\n", b, n, r);
    printf("len %d, was %d; next %d\n", b->len, _entry(b->len), _entry(b->next->len));
    printf("total %d, was %d\n", total, _entry(total));
    printf("load %g, was %g; %d\n", b->load, _entry(b->load), _entry(n * 2 - 1));
    printf("%d\n", _now_ns() > _entry(_now_ns()));
}
//> fill(0x5000, 9) = 12
//> len 12, was 3; next 100
//> total 49, was 40
//> load 0.75, was 0.5; 17
//> 1
