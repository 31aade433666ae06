// test run
struct p { int x; _str s; double d; char c[4]; };
_probe _oneshot {
    struct p v = { 5, "a\"b", 1.5 };
    v.c[0] = 'h';
    printf("%V %V %V\n", v, v.s, 3.5f);
    printf("%hB %hT\n", 1400000000, 4200000);
    printf("%-5d|%5s|%+d|%#x\n", 42, "ab", 7, 255);
    printf("%*d|%.*s\n", 6, 42, 2, "abcdef");
    _print(1, " ", "two", "\n");
    puts("line");
}
//> {x = 5, s = "a\"b", d = 1.5, c = "h"} "a\"b" 3.5
//> 1.4 GB 4.2 ms
//> 42   |   ab|+7|0xff
//>     42|ab
//> 1 two
//> line
