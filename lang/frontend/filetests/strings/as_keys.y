// test run
int count[_str];
_probe _oneshot {
    for (int i = 0; i < 6; i++) count[sprintf("k%d", i % 3)]++;
    _foreach (k, v in count) printf("%s=%d ", k, v);
    printf("\n");
}
//> k0=2 k1=2 k2=2 
