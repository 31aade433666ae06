// test type-error
_probe _oneshot {
    printf("%d\n", NULL);
}
//> error 3:20: `%d` prints an integer [this is `void *`] (help: an address is printed by `%p`; for text cast to `char *`)
