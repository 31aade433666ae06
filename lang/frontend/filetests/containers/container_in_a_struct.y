// test type-error
_probe _oneshot {
    struct s { long t[int]; };
    struct s v;
}
//> error 3:22: a struct cannot hold a table [containers are never members] (help: declare the table as a variable of its own, keyed by what identifies the struct)
