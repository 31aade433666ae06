// test run
_probe _oneshot {
    for (int i = -2; i < 3; i++) switch (i) { case -2 ... -1: puts("neg"); break; case 'a': puts("a"); break; case 0: puts("0"); }
}
//> neg
//> neg
//> 0
