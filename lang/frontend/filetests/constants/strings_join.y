// test run
_probe _oneshot {
    printf("%s\n", "a" "b" "\x41" "\101" "\t|");
}
//> abAA	|
