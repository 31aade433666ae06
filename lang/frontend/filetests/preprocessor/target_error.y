// test parse-error
//: struct s { int a; };
##ifdeffield struct s b
##else
##error "no b in s"
##endif
_probe _oneshot { }
//> error 5:1: no b in s [stated here]
