// test run
long count[_str];
_probe _oneshot {
    count["a"]++;
    count["a"] += 4;
    count["b"] = 7;
    printf("%ld %ld %ld\n", count["a"], count["b"], count["none"]);
    printf("%ld\n", _len(count));
    printf("%d %d\n", "a" in count, "none" in count);
    _delete count["a"];
    printf("%d %ld\n", "a" in count, _len(count));
    _clear(count);
    printf("%ld\n", _len(count));
}
//> 5 7 0
//> 2
//> 1 0
//> 0 1
//> 0
