// test type-error
int helper(int a) { return a; }
_probe _oneshot { int x = helpre(1); }
//> error 3:27: unknown function `helpre` [neither the script nor the built-ins have it] (help: did you mean `helper`?)
