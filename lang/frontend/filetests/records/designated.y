// test run
_probe _oneshot {
    struct s { int a, b; struct { int c; } in; int arr[3]; } v = { .b = 2, .in.c = 5, .arr[1] = 7 };
    printf("%V\n", v);
}
//> {a = 0, b = 2, in = {c = 5}, arr = {0, 7, 0}}
