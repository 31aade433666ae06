// test parse-error
_late int depth;
_probe _oneshot { }
//> error 2:1: `_late` belongs before a function [this is none] (help: what a `_late` function reads is read when the handler runs)
