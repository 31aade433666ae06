// test run
_probe _oneshot {
    printf("%*d|%-*d|%.*s|%.*f\n", 5, 42, 5, 42, 2, "abcdef", 1, 2.55);
}
//>    42|42   |ab|2.5
