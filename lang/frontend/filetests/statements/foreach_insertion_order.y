// test run
_probe _oneshot {
    long t[int];
    t[9] = 1; t[3] = 2; t[7] = 3; _delete t[3]; t[3] = 4;
    _foreach (k, v in t) printf("%d=%ld ", k, v);
    puts("");
}
//> 9=1 7=3 3=4 
