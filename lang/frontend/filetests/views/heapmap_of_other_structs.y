// test type-error
struct place { _str state; long owner; };
struct kind { _str state; _str owner; _str kind; };
_view heapmap "A" "bytes" struct place a[void *, size_t];
_view heapmap "B" "bytes" struct kind b[void *, size_t];
_probe _oneshot { }
//> error 4:40: a heapmap does not show `struct place [void *, size_t]` [`a` is `struct place [void *, size_t]`] (help: a heapmap is of a table from start and length to a state, or to a struct of `_str state` and `_str owner`: `_str t[void *, size_t]`)
//> error 5:39: a heapmap does not show `struct kind [void *, size_t]` [`b` is `struct kind [void *, size_t]`] (help: a heapmap is of a table from start and length to a state, or to a struct of `_str state` and `_str owner`: `_str t[void *, size_t]`)
