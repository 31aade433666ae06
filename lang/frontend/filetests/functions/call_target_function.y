// test type-error
//: int target_function(int a);
_probe _oneshot { target_function(1); }
//> error 3:19: `target_function` is of the target, which is only ever read [its code cannot be called] (help: write the function in the script, in terms of what it reads)
