// test run
_probe _oneshot {
    long t[int][]; _agg g[_str]; long e[];
    _push(t[1], 2); g["x"] <<< 4;
    printf("%V %V %V|%20V|\n", t, g, e, e);
}
//> {[1] = {2}} {["x"] = {count = 1, sum = 4, min = 4, max = 4, average = 4}} {}|                  {}|
