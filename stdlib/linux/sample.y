/// What a sample by bytes tells: `_every(every, n)` takes a block of n bytes with the probability n / every, and lets it stand for `every` bytes.

#ifndef LINUX_SAMPLE_Y
#define LINUX_SAMPLE_Y

/// For how many blocks a block of n bytes stands that stands for `weight` bytes: on average weight / n. The same seed gives the same number, so that what a block has
/// added can be taken away; seeds are spread so that those of a path's blocks round up as often as they should.
long sample_count(unsigned long seed, long n, long weight)
{
    if (n <= 0)
        n = 1;
    if (weight <= n)
        return 1;
    unsigned long mixed = (seed ^ seed >> 31) * 0x9e3779b97f4a7c15ul;
    mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9ul;
    return (weight + (long)((mixed >> 32) % n)) / n;
}

/// The half width, in bytes, of the interval that holds a path's true figure 19 times in 20, for the path with most bytes: the variance of a path's figure is
/// at most its bytes times `every`. Of a path of which nothing was drawn, e to the power of -3 tells that 3 * every bytes are too many.
long sample_error(long every, long most)
{
    return most > 0 ? 1.96 * sqrt((double)most * every) : 3 * every;
}

/// The line that says how far the figures can be trusted; `most` is that of the path with most bytes.
_str sample_text(long every, long most)
{
    if (most <= 0)
        return sprintf("nothing came into the sample of one block in %hB: a path may have up to %hB (19 times in 20)", every, sample_error(every, 0));
    return sprintf("estimated from a sample of one block in %hB: a path's figure is within %hB of the truth 19 times in 20, and one that is not shown below %hB",
                   every, sample_error(every, most), sample_error(every, 0));
}

#endif
