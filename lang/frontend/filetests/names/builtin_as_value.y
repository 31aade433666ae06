// test type-error
_probe _oneshot {
    long n = _pid;
}
//> error 3:14: `_pid` is a built-in function [it can only be called] (help: write `_pid(…)`)
