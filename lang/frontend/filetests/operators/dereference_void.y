// test type-error
_probe _oneshot {
    void *p = NULL;
    int x = *p;
}
//> error 4:13: a `void *` does not say what it points to [nothing can be read through it] (help: cast it: `*(T *) p`)
