// test type
int next_number(void)
{
    static const int step = 2;
    static int last;
    return last += step;
}
_probe _oneshot { printf("%d\n", next_number()); }
//> warning 5:5: `static` keeps no value between calls here [the variable starts at zero each time] (help: declare it outside of the function)
//> next_number() -> int { step: int, last: int }
//> _probe _oneshot() -> void
