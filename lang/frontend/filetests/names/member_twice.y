// test type-error
struct s { int a; int a; };
_probe _oneshot { struct s v; v.a = 1; }
//> error 2:23: the member `a` stands twice [again here] [2:16: first here]
