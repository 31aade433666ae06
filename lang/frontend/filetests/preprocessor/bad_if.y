// test parse-error
#if 1 +
#endif
_probe _oneshot { }
//> error 2:1: this condition makes no sense [a value is missing at the end] (help: `#if` takes integers, operators and `defined`; the target is asked with `##if…`)
