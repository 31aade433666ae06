// test type-error
_probe _oneshot {
    printf("%d %d\n", 1);
}
//> error 3:12: `%d` has no argument [its value is missing]
