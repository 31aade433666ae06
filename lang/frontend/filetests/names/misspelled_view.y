// test type-error
_view flamegrph "x" "y" long t[_path];
_probe _oneshot { }
//> error 2:7: no view `flamegrph` [no such kind] (help: did you mean `flamegraph`?)
