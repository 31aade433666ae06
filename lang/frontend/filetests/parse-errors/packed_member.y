// test parse-error
struct s { char a; int b __attribute__((packed)); };
_probe _oneshot { }
//> error 2:41: `packed` belongs to a whole struct here [not after the `struct` or the `}` of one] (help: write `struct __attribute__((packed)) tag { … };`)
