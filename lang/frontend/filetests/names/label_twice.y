// test type-error
_probe _oneshot {
    a: puts("x");
    a: puts("y");
}
//> error 4:5: the label `a` stands twice [again here] [3:5: first here]
