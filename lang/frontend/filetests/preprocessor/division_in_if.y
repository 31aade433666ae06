// test parse-error
#if 1 / 0
#endif
_probe _oneshot { }
//> error 2:1: this condition makes no sense [a division by zero] (help: `#if` takes integers, operators and `defined`; the target is asked with `##if…`)
