// test type-error
union u { int i; float f; };
struct k { int a; union u b; };
_probe _oneshot {
    long t[union u];
    long s[struct k];
}
//> error 5:12: `union u` cannot be a key [keys are numbers, pointers, strings, paths, and structs of these] (help: for text of the target, use `_str` and `_tostr(p)`)
//> error 6:12: `struct k` cannot be a key [keys are numbers, pointers, strings, paths, and structs of these] (help: for text of the target, use `_str` and `_tostr(p)`)
