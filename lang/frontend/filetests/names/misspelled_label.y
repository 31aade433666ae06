// test type-error
_probe _oneshot {
    goto out;
    uot: puts("x");
}
//> error 3:10: no label `out` in this function [nowhere to go] (help: did you mean `uot`?)
