// test run
_probe _oneshot {
    printf("%c%c|%5s|%-5s|%.2s|%s|%%\n", 65, 98, "ab", "ab", "abc", "");
}
//> Ab|   ab|ab   |ab||%
