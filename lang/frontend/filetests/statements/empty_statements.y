// test run
_probe _oneshot {
    ;;;
    { }
    if (1) ; else ;
    puts("done");
}
//> done
