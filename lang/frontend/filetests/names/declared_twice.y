// test type-error
_probe _oneshot {
    int a;
    int a;
}
//> error 4:9: `a` is declared twice in this block [again here] [3:9: first here]
