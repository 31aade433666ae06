// test run
struct stat { long bytes; int count; double mean; };
struct stat s[_str];
_probe _oneshot {
    s["a"].bytes += 100;
    s["a"].count++;
    s["a"].bytes += 50;
    s["a"].count++;
    s["a"].mean = s["a"].bytes / (double) s["a"].count;
    printf("%ld %d %.1f %d\n", s["a"].bytes, s["a"].count, s["a"].mean, s["b"].count);
    struct stat copy = s["a"];
    copy.count = 9;
    s["c"] = copy;
    printf("%d %d %ld\n", s["a"].count, s["c"].count, _len(s));
}
//> 150 2 75.0 0
//> 2 9 2
