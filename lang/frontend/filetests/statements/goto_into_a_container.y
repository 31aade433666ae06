// test type-error
_probe _oneshot {
    goto in;
    { long t[int]; in: t[1] = 1; }
}
//> warning 4:5: this is never reached [what stands before it always leaves]
//> error 3:5: this jumps past the declaration of the container `t`
