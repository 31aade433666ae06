// test run
// A container that is passed to a function may be written there, so an absent row is inserted.
void add(int a[], int v) { _push(a, v); }
long count(int a[]) { return _len(a); }
int rows[_str][];
_probe _oneshot {
    add(rows["x"], 1);
    add(rows["x"], 2);
    printf("%ld %ld\n", count(rows["x"]), _len(rows));
    printf("%ld %ld\n", count(rows["y"]), _len(rows));
}
//> 2 1
//> 0 1
