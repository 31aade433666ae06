// test type-error
//: long double ratio;
_probe _oneshot { printf("%Lf", ratio); }
//> error 3:33: `%Lf` prints a `double` [this is `long double`] (help: a value of type `long double` is printed by `%V`; it is not computed with)
