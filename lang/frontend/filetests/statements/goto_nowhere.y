// test type-error
_probe _oneshot {
    goto out;
}
//> error 3:10: no label `out` in this function [nowhere to go]
