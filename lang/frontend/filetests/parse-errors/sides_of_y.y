// test parse-error
_target int x;
_tracer int f(void) { return 3; }
_probe _oneshot {
    _target struct foo *p;
    int _target = 3;
    printf("%d %d\n", _target, f() + x);
}
//> error 2:1: `_target` is no word of the language [in Y it says that something is the target's] (help: leave it out: variables, functions and types of the target are used by their names, without a declaration, and pointers lead there)
//> error 3:1: `_tracer` is no word of the language [in Y it says that something is the tracer's] (help: leave it out: what a program declares is its own)
//> error 5:5: `_target` is no word of the language [in Y it says that something is the target's] (help: leave it out: variables, functions and types of the target are used by their names, without a declaration, and pointers lead there)
