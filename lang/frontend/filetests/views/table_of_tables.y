// test type-error
_view table "T" "" long t[int][int];
_probe _oneshot { t[1][2] = 3; }
//> error 2:25: a table does not show `long [int][int]` [`t` is `long [int][int]`] (help: each row of a table is one value: give one table both keys, `long t[int, int]`, instead of `long t[int][int]`)
