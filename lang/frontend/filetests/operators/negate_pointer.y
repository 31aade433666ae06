// test type-error
_probe _oneshot {
    char *p = NULL;
    long n = -p;
}
//> error 4:15: `-` needs a number [this is `char *`]
