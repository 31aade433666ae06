// test parse-error
_probe _oneshot {
    if ("a" ~~ rx/x/i)
        puts("y");
    if ("a" !~~ rx/x/g)
        puts("y");
}
//> error 3:21: a regex has no flags behind it [flags stand inside] (help: write `rx/(?i)x/`)
//> error 5:22: a regex has no flags behind it [flags stand inside] (help: `rx/x/` is all; `i`, `m`, `s` and `x` go inside: `rx/(?i)x/`)
