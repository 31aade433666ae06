// test parse-error
_probe _oneshot { } }
//> error 2:21: `}` closes nothing [no bracket is open that this could close] (help: remove it, or look for a bracket that is missing before it)
