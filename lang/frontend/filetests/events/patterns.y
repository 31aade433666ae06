// test run
//: void http_open(int fd);
//: void http_close(int fd);
//: void http_send(int fd, char *data);
//: void smtp_open(int fd);
//! hit http_open rdi=3
//! hit smtp_open rdi=4
//! hit http_close rdi=3
//! hit http_send rdi=3
//! hit http_send rdi=4
long calls[_str];
_probe `http_*`(int fd) { printf("%d %d\n", _func() != "", fd); calls[_func()]++; }
_probe `*_open`(...) { printf("open %d\n", fd); }
_probe `http_?lose` { printf("close\n"); }
//> 1 3
//> open 3
//> open 4
//> 1 3
//> close
//> 1 3
//> 1 4
