// test type-error
_probe _oneshot {
    long t[int] = { 1 };
}
//> error 3:10: containers are never assigned [this is `long [int]`] (help: an array takes a list, `T a[] = { x, y };`; a table is filled by statements)
