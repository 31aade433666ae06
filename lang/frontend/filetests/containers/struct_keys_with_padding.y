// test run
_probe _oneshot {
    struct k { char a; long b; char c; };
    long t[struct k];
    struct k x = { 1, 2, 3 };
    t[x]++;
    x.c++; x.c--;
    t[x]++;
    printf("%V %d\n", t, x in t);
}
//> {[{a = '\001', b = 2, c = '\003'}] = 2} 1
