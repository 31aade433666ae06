// test run
//: int numbers[3];
//! memory 0x10000 u32 1 2 3
int sum(int a[], int n);
int total(int *a, int n) { int s = 0; while (n--) s += a[n]; return s; }
_probe _oneshot { printf("%d\n", total(numbers, 3)); }
//> 6
