// test type-error
_probe _oneshot {
    char b[5];
    strcpy(b, "x");
    fprintf(0, "x");
    print("x");
    push(b, 1);
    atoi("4");
    exit();
    ngx_palloc(0, 1);
}
//> error 4:5: unknown function `strcpy` [neither the script nor the built-ins have it] (help: a `_str` is copied by `=`; `_tostr(p)` copies text of the target, `_tostr(p, n)` n bytes of it)
//> error 5:5: unknown function `fprintf` [neither the script nor the built-ins have it] (help: `printf(format, …)` and `puts(s)` print, `_warn(format, …)` goes to standard error)
//> error 6:5: unknown function `print` [neither the script nor the built-ins have it] (help: `printf(format, …)` and `puts(s)` print; did you mean `_print`?)
//> error 7:5: unknown function `push` [neither the script nor the built-ins have it] (help: did you mean `_push`?)
//> error 8:5: unknown function `atoi` [neither the script nor the built-ins have it] (help: `_strtol(s)` or `_strtol(s, base)`)
//> error 9:5: unknown function `exit` [neither the script nor the built-ins have it] (help: `_exit()` ends the session after `_end`, `_error(format, …)` as a failure)
//> error 10:5: unknown function `ngx_palloc` [neither the script nor the built-ins have it]
