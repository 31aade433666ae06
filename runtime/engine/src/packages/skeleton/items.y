/// The items of a `struct shelf`: what the probes of this package share.

/// A list that is damaged may never end: no walk looks at more items than this.
#define PREFIX_MOST 10000000

/// Adds the bytes of each item of a list to those of its kind. Gives how many items there are.
long PREFIX_add(struct item *first, long bytes[_str])
{
    long count = 0;
    for (struct item *item = first; item && count < PREFIX_MOST; item = item->next) {
        bytes[_tostr(item->kind)] += item->bytes;
        count++;
    }
    return count;
}
