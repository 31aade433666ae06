// test parse-error
_probe _oneshot {
    int n;
    LIST_EACH(p, list) { n++; }
}
//> error 4:24: expected `;`, found `{` [`;` must stand here] (help: if `LIST_EACH` is a macro of the target, the text can be read only with it (`-p PID`, `--core FILE` or `--types FILE`, built with -g3), or with a `#define`)
