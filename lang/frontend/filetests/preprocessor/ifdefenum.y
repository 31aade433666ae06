// test run
//: enum color { RED, GREEN };
_probe _oneshot {
##ifdefenum GREEN
    printf("%d\n", GREEN);
##endif
##ifndefenum BLUE
    puts("no BLUE");
##endif
}
//> 1
//> no BLUE
