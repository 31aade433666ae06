/// What the first word of a block says of its type: the table of virtual functions of a C++ class, or another variable or function of the program, as chap's signatures.

#ifndef HEAP_TYPES_Y
#define HEAP_TYPES_Y

#include <heap/blocks.y>

/// Memory with code, constants and variables of files, in the order of addresses.
uint64_t heap_file_starts[], heap_file_ends[];
int heap_files_known;

void heap_learn_files(void)
{
    heap_files_known = 1;
    _foreach (m in _maps()) {
        if (m.file == "" || _isprefix(m.file, "[") || !(m.perms ~~ rx/^r..p/))
            continue;
        _push(heap_file_starts, (uint64_t)m.start);
        _push(heap_file_ends, (uint64_t)m.end);
    }
}

/// Whether a word leads into a file.
int heap_is_in_file(uint64_t w)
{
    long low = 0;
    long high = _elems(heap_file_starts);
    while (low < high) {
        long middle = (low + high) / 2;
        if (heap_file_ends[middle] <= w)
            low = middle + 1;
        else
            high = middle;
    }
    return low < _elems(heap_file_starts) && heap_file_starts[low] <= w;
}

/// What words lead to, each looked up once.
_str heap_type_of_word[uint64_t];
#define HEAP_MOST_TYPES 1000000

/// The type that a first word tells; "" if it tells none.
_str heap_word_type(uint64_t w)
{
    if (!heap_files_known)
        heap_learn_files();
    if (w < 0x10000 || !heap_is_in_file(w))
        return "";
    if (w in heap_type_of_word)
        return heap_type_of_word[w];
    _str type = _usym((void *)w);
    if (_isprefix(type, "0x"))
        type = "";
    // A class's table begins two words behind its symbol (Itanium C++ ABI); how its name is written is for the demangler.
    else if (type ~~ rx/^\{vtable\((.*)\)\}\+0x[0-9a-f]+$/)
        type = $1;
    else if (type ~~ rx/^vtable for (.*)\+0x[0-9a-f]+$/)
        type = $1;
    // Text and constants are no types.
    else if (_contains(type, "+"))
        type = "";
    if (_elems(heap_type_of_word) < HEAP_MOST_TYPES)
        heap_type_of_word[w] = type;
    return type;
}

/// The type of a block: its owner's name, or what its first word tells.
_str heap_type(struct heap_block b)
{
    if (b.state != HEAP_USED)
        return heap_state_names[b.state];
    if (b.owner)
        return heap_owner_names[b.owner];
    if (b.size < 8)
        return "";
    _try {
        return heap_word_type(*(uint64_t *)b.start);
    } _catch (_fault f) {
        return "";
    }
}

#endif
