// test type-error
_probe _oneshot {
    struct k { int n[2]; };
    long t[struct k];
}
//> error 4:12: `struct k` cannot be a key [keys are numbers, pointers, strings, paths, and structs of these] (help: its member `n` is `int [2]`; name its elements as several keys: `T t[int, int]`)
