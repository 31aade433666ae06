// test run
_probe _oneshot {
    long t[_str][int];
    t["a"][1] = 1; t["a"][2] = 2; t["b"][3] = 3;
    _foreach (k, inner in t) { inner[9] = 9; _foreach (i, v in inner) printf("%s%d=%ld ", k, i, v); }
    puts("");
}
//> a1=1 a2=2 a9=9 b3=3 b9=9 
