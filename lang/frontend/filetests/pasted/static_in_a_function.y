// test type
int next_number(void)
{
    static const int step = 2;
    static int last;
    return last += step;
}
_probe _oneshot { printf("%d\n", next_number()); }
