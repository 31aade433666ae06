// test parse-error
#include "nowhere.y"
_probe _oneshot { }
//> error 2:1: no file `nowhere.y` [not found] (help: looked for in the filetest)
