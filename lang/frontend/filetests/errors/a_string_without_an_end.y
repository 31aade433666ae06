// test parse-error
_probe _oneshot {
    printf("abc);
    puts(undeclared;
}
//> error 3:12: this string never ends [no closing quote on this line]
