// test type-error
//: struct pair { long a, b; };
//: struct pair f(struct pair p, char *s);
int helper(int n) { return _entry(n); }
_probe f(struct pair p, char *s) { printf("%d", _entry(p.a)); }
_probe f(struct pair p, char *s) -> r {
    long mine = 3;
    printf("%d", _entry(mine));
    printf("%d", _entry(r.a));
    printf("%d", _entry(p) == 0);
    printf("%s", _entry(_tostr(s)));
    printf("%d", _entry(_entry(p.a)));
    _path where = _entry(_ubt());
    printf("%d", helper(1));
}
_probe _oneshot { printf("%d", _entry(1)); }
//> error 4:28: `_entry(e)` belongs to the body of a probe on a function's return [there is no entry here] (help: write `_probe f(…) -> r { … }`; hand the value to a function as an argument)
//> error 5:49: `_entry(e)` belongs to the body of a probe on a function's return [this probe does not run at a return] (help: write `e` alone: it is as of the hit)
//> error 8:25: `mine` has no value yet when the function is entered [a variable of the handler] (help: `_entry` takes parameters, variables of the target and what they lead to)
//> error 9:25: `r` has no value yet when the function is entered [the result] (help: `_entry` takes parameters, variables of the target and what they lead to)
//> error 10:25: `_entry` keeps a number or a pointer [this is `struct pair`] (help: name a member: `_entry(s.member)`)
//> error 11:25: `_entry` keeps a number or a pointer [this is `_str`] (help: keep the pointer to the text; what it points to is read at the return)
//> error 12:25: `_entry` in `_entry` [all of it is as of entry already] (help: leave out the inner one)
//> error 13:26: `_entry` keeps a number or a pointer [this is `_path`] (help: what led to the call is what leads to the return: `_ubt()`)
//> error 16:32: `_entry(e)` belongs to the body of a probe on a function's return [there is no entry here] (help: write `_probe f(…) -> r { … }`; hand the value to a function as an argument)
