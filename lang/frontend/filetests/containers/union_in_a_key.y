// test type-error
union u { int i; float f; };
struct k { int a; union u b; };
_probe _oneshot {
    long t[union u];
    long s[struct k];
}
//> error 5:12: `union u` cannot be a key [keys are numbers, pointers, strings, paths, and structs of these] (help: use the member of the union that counts as the key)
//> error 6:12: `struct k` cannot be a key [keys are numbers, pointers, strings, paths, and structs of these] (help: its member `b` is `union u`; use the member of the union that counts as the key)
