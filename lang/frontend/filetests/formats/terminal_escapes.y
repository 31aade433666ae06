// test run
_probe _oneshot {
    printf("%s|%c\n", "a\x1b[31mred", 27);
}
//> a\x1b[31mred|\x1b
