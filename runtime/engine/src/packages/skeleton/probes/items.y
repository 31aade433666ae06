#!/usr/bin/env -S ytrace run
/// Which kinds of items hold the memory of a shelf.
#include <NAME/items.y>

_option long above = 0; /// leave out kinds that have this many bytes or fewer

_view bars "Bytes by kind of item" "bytes"
long bytes[_str];

_probe _oneshot {
    long all[_str];
    long count = PREFIX_add(shelf->first, all);
    _foreach (kind, n in all) {
        if (n > above)
            bytes[kind] = n;
    }
    printf("%ld items, %hB\n", count, _sum(all));
    _assert_equal("shelf->count", count, shelf->count);
}
