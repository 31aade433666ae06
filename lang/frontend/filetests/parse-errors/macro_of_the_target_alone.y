// test parse-error
_probe _oneshot {
    int n;
    COUNT_ALL
}
//> error 4:13: `;` is missing [`;` must stand here] (help: if `COUNT_ALL` is a macro of the target, the text can be read only with it (`-p PID`, `--core FILE` or `--types FILE`, built with -g3), or with a `#define`)
