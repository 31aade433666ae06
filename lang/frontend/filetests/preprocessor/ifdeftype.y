// test run
//: struct conn { int fd; };
//: typedef struct conn conn_t;
_probe _oneshot {
##ifdeftype conn_t
    puts("typedef");
##endif
##ifdeftype struct conn
    puts("struct");
##endif
##ifndeftype struct none
    puts("none");
##endif
}
//> typedef
//> struct
//> none
