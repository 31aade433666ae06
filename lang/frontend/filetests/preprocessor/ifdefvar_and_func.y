// test run
//: int counter;
//: int handler(int fd, char *name);
_probe _oneshot {
##ifdefvar counter
    puts("var");
##endif
##ifdeffunc handler
    puts("func");
##endif
##ifdeffunc counter
    puts("wrong");
##endif
##ifdefarg handler fd
    puts("arg");
##endif
}
//> var
//> func
//> arg
