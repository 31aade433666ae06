// test type
// Names and types as debug information has them; without a name there is nothing to name.
//: struct pair { long a, b; };
//: struct pair f(struct pair *p, const char *name, int [4], unsigned short);
_probe f(...) -> r { }
_probe f(int *, char *s) -> _void { }
_probe f { }
_probe f(void) { }
//> _probe f(...) -> r() -> void { p: struct pair *, name: char *, r: struct pair }
//> _probe f(int *, char *s) -> _void() -> void { s: char * }
//> _probe f() -> void
//> _probe f(void)() -> void
