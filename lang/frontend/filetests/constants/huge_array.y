// test type-error
_probe _oneshot {
    char a[100000000];
    a[0] = 1;
}
//> error 3:10: this variable takes 100000000 bytes [67108864 are the most] (help: use a table or a growing array)
