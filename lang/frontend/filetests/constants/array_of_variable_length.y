// test type-error
struct pair { int a; int b; };
int of(int k)
{
    int v[k * 2];
    struct { long held[k + 1]; } s;
    return sizeof(int[v[0] + 1]);
}
_probe _oneshot {
    int n = 3;
    int v[n + 1];
    char name[_len("four") + n], other[2.5];
    v[0] = of(n);
}
//> error 5:11: the length of an array must be a constant [its value is known only when the probe runs] (help: there are no arrays of variable length; one that grows is `[]`, and `_push` appends to it)
//> error 6:24: the length of an array must be a constant [its value is known only when the probe runs] (help: there are no arrays of variable length; one that grows is `[]`, and `_push` appends to it)
//> error 11:11: the length of an array must be a constant [its value is known only when the probe runs] (help: there are no arrays of variable length; one that grows is `[]`, and `_push` appends to it)
//> error 12:15: the length of an array must be a constant [its value is known only when the probe runs] (help: there are no arrays of variable length; one that grows is `[]`, and `_push` appends to it)
//> error 12:40: the length of an array must be a constant [this is `double`] (help: a growing array is `[]`; the keys of a table are types: `[typeof(…)]`)
