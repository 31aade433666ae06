// test run
#define V(n) v##n
_probe _oneshot { int v1 = 10, v2 = 20; printf("%d\n", V(1) + V(2)); }
//> 30
