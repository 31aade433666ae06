// test run
// Text is read where the pointer leads; a struct of the target by its members.
//: struct str { unsigned long len; char *data; };
//: int open(const char *path, int flags);
//: void log(struct str *s);
//! variadic open
//! memory 0x5000 "/etc/passwd\0"
//! memory 0x6000 u64 3 0x5005
//! hit open rdi=0x5000 rsi=0x80
//! return open rax=-2
//! hit log rdi=0x6000
long errors[_str];
_probe open(...) { printf("open(%s, %#x)\n", path, flags); }
_probe open(const char *path) -> int fd { if (fd < 0) { errors[_tostr(path)]++; printf("%d\n", fd); } }
_probe log(struct str *s) { printf("%.*s\n", (int) s->len, s->data); }
_probe _end { _foreach (path, n in errors) printf("%s: %d\n", path, n); }
//> open(/etc/passwd, 0x80)
//> -2
//> pas
//> /etc/passwd: 1
