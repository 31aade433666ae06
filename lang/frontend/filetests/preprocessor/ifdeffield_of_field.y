// test run
//: struct in { int deep; };
//: struct out { struct in a; };
_probe _oneshot {
##ifdeffield struct out a.deep
    puts("deep");
##endif
##ifdeffield struct out a.none
    puts("none");
##else
    puts("not none");
##endif
}
//> deep
//> not none
