/// The heap questions of the prompt: `count`, `list`, `summarize` and `describe` of the blocks that are `used`, `free`, `leaked`, that lead to a block (`incoming`)
/// or that a block leads to (`outgoing`). Any aligned word whose value is an address in a block leads to it, to its start or into its middle.
///
/// What is asked is told by macros that the prompt defines.

#ifndef HEAP_ASK_Y
#define HEAP_ASK_Y

#include <heap/blocks.y>
#include <heap/roots.y>
#include <heap/types.y>

#define HEAP_COUNT 1
#define HEAP_LIST 2
#define HEAP_SUMMARIZE 3
#define HEAP_DESCRIBE 4

#define HEAP_SET_USED 1
#define HEAP_SET_FREE 2
#define HEAP_SET_LEAKED 3
#define HEAP_SET_INCOMING 4
#define HEAP_SET_OUTGOING 5

#ifndef HEAP_VERB
#define HEAP_VERB HEAP_COUNT
#endif
#ifndef HEAP_SET
#define HEAP_SET HEAP_SET_USED
#endif
// The block of `incoming` and `outgoing`.
#ifndef HEAP_ADDRESS
#define HEAP_ADDRESS 0
#endif
// What blocks are left: those of a size, of a type, that begin with words.
#ifndef HEAP_LEAST
#define HEAP_LEAST 0ul
#endif
#ifndef HEAP_MOST
#define HEAP_MOST ~0ul
#endif
// With HEAP_TYPED, `heap_type_fits` says of which types they are.
__attribute__((weak)) int heap_type_fits(_str type) { return 1; }
#ifndef HEAP_FIRST
#define HEAP_FIRST { }
#endif
// How many rows are shown.
#ifndef HEAP_LIMIT
#define HEAP_LIMIT 100
#endif
// Calls the functions that give blocks, and those that say what addresses are.
__attribute__((weak)) void heap_give_all(void) { }
__attribute__((weak)) int heap_givers(void) { return 0; }
__attribute__((weak)) void prompt_ask_all(void) { }

uint64_t heap_first[] = HEAP_FIRST;

// What the blocks are taken for, at the pass at hand.
#define HEAP_PASS_FIND 1
#define HEAP_PASS_STORE 2
#define HEAP_PASS_SHOW 3
int heap_pass;

/// What was found: blocks of the set, their bytes, and these with what the allocator adds; what was shown.
long heap_count, heap_bytes, heap_whole;
long heap_shown;
/// Of free blocks, by state.
long heap_state_count[HEAP_STATES], heap_state_bytes[HEAP_STATES];
/// Rows of `describe`.
struct heap_block heap_kept[];

/// The groups of `summarize`: by type and, where that is not known, by size.
struct heap_group {
    _str type;
    uint64_t least, most;
    long count, bytes;
};
struct heap_group heap_groups[_str, uint64_t];

/// The block that `incoming` and `outgoing` are about.
struct heap_block heap_subject;
int heap_found;

/// All blocks, and which of those in use have been reached, for `leaked`.
struct heap_block heap_blocks[];
uint8_t heap_reached[];
long heap_work[];

/// Words of the subject, in order, for `outgoing`.
uint64_t heap_words[];
/// Words outside of the heap that lead to the subject, and how many there are.
struct heap_place heap_outside[];
long heap_outside_count;
/// Whether the words that are met stand in a block, and whether one was.
int heap_in_block, heap_block_meets;

/// Whether a block is of those that are asked for. Reading it comes last.
int heap_fits(struct heap_block b)
{
    if (b.size < HEAP_LEAST || b.size > HEAP_MOST)
        return 0;
    long words = _elems(heap_first);
    if (words > 0) {
        if (b.size < 8ul * words)
            return 0;
        _try {
            for (long i = 0; i < words; i++)
                if (((uint64_t *)b.start)[i] != heap_first[i])
                    return 0;
        } _catch (_fault f) {
            return 0;
        }
    }
#ifdef HEAP_TYPED
    return heap_type_fits(heap_type(b));
#else
    return 1;
#endif
}

/// Prints a block's row.
void heap_list(struct heap_block b)
{
    _str type = heap_type(b);
    if (PROMPT_JSON)
        printf("{\"address\": \"0x%lx\", \"size\": %lu, \"state\": %s, \"type\": %s}\n", b.start, b.size, prompt_quoted(heap_state_names[b.state]),
               b.state != HEAP_USED || type == "" ? "null" : prompt_quoted(type));
    else
        printf("0x%lx %12s%s%s\n", b.start, prompt_thousands(b.size), type == "" ? "" : "  ", type);
}

/// Takes a block of the set.
void heap_select(struct heap_block b)
{
    if (!heap_fits(b))
        return;
    heap_count++;
    heap_bytes += b.size;
    heap_whole += b.whole;
    heap_state_count[b.state]++;
    heap_state_bytes[b.state] += b.size;
    if (HEAP_VERB == HEAP_SUMMARIZE) {
        _str type = heap_type(b);
        struct heap_group g = heap_groups[type, type == "" ? b.size : 0];
        g.type = type;
        g.least = g.count == 0 || b.size < g.least ? b.size : g.least;
        g.most = b.size > g.most ? b.size : g.most;
        g.count++;
        g.bytes += b.size;
        heap_groups[type, type == "" ? b.size : 0] = g;
    } else if (HEAP_VERB != HEAP_COUNT && heap_shown < HEAP_LIMIT) {
        heap_shown++;
        if (HEAP_VERB == HEAP_LIST)
            heap_list(b);
        else
            _push(heap_kept, b);
    }
}

/// Whether one of the subject's words leads into a block.
int heap_is_led_to(struct heap_block b)
{
    long low = 0;
    long high = _elems(heap_words);
    while (low < high) {
        long middle = (low + high) / 2;
        if (heap_words[middle] < b.start)
            low = middle + 1;
        else
            high = middle;
    }
    return low < _elems(heap_words) && heap_words[low] - b.start < b.size;
}

void heap_take(struct heap_block b)
{
    switch (heap_pass) {
    case HEAP_PASS_FIND:
        // The head that an allocator puts in front counts as a part.
        if ((uint64_t)HEAP_ADDRESS - b.whole_start < b.whole) {
            heap_subject = b;
            heap_found = 1;
        }
        heap_add_region(b.whole_start, b.whole);
        break;
    case HEAP_PASS_STORE:
        heap_add_region(b.whole_start, b.whole);
        if (b.state == HEAP_USED) {
            _push(heap_blocks, b);
            _push(heap_reached, 0);
        }
        break;
    case HEAP_PASS_SHOW:
        switch (HEAP_SET) {
        case HEAP_SET_USED:
            if (b.state == HEAP_USED)
                heap_select(b);
            break;
        case HEAP_SET_FREE:
            if (b.state != HEAP_USED)
                heap_select(b);
            break;
        case HEAP_SET_INCOMING:
            if (b.state != HEAP_USED)
                break;
            heap_block_meets = 0;
            heap_scan(b.start, b.start + b.size);
            if (heap_block_meets)
                heap_select(b);
            break;
        case HEAP_SET_OUTGOING:
            if (b.state == HEAP_USED && heap_is_led_to(b))
                heap_select(b);
            break;
        }
        break;
    }
}

void heap_own(uint64_t start, uint64_t size)
{
    if (heap_pass != HEAP_PASS_SHOW)
        heap_add_region(start, size);
}

/// The block in use that an address lies in, by its number, or -1.
long heap_index(uint64_t a)
{
    long low = 0;
    long high = _elems(heap_blocks);
    while (low < high) {
        long middle = (low + high) / 2;
        if (heap_blocks[middle].start <= a)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && a - heap_blocks[low - 1].start < heap_blocks[low - 1].size ? low - 1 : -1;
}

void heap_meet(uint64_t at, uint64_t word)
{
    if (HEAP_SET == HEAP_SET_LEAKED) {
        long i = heap_index(word);
        if (i >= 0 && !heap_reached[i]) {
            heap_reached[i] = 1;
            _push(heap_work, i);
        }
    } else if (heap_in_block) {
        heap_block_meets = 1;
    } else {
        heap_outside_count++;
        if (_elems(heap_outside) < HEAP_LIMIT) {
            heap_now.at = at;
            heap_now.word = word;
            _push(heap_outside, heap_now);
        }
    }
}

/// Finds out which blocks are reached from outside of the heap, directly or through other blocks.
void heap_mark(void)
{
    _sort(heap_blocks _by x.start);
    long n = _elems(heap_blocks);
    if (n == 0)
        return;
    heap_low = heap_blocks[0].start;
    heap_span = heap_blocks[n - 1].start + heap_blocks[n - 1].size - heap_low;
    heap_scan_roots();
    while (_elems(heap_work) > 0) {
        struct heap_block b = heap_blocks[_pop(heap_work)];
        heap_scan(b.start, b.start + b.size);
    }
}

/// Gives all blocks once.
void heap_go_over(int pass)
{
    heap_pass = pass;
    heap_give_all();
}

/// Finds the block of the question.
void heap_find_subject(void)
{
    heap_go_over(HEAP_PASS_FIND);
    if (!heap_found)
        _error("0x%lx lies in no block of this heap; `:what` says what it is", (uint64_t)HEAP_ADDRESS);
    if (heap_subject.state != HEAP_USED)
        _warn("the block at 0x%lx is not in use: %s", heap_subject.start, heap_state_names[heap_subject.state]);
    heap_low = heap_subject.start;
    heap_span = heap_subject.size;
}

/// Gathers the words of the subject.
void heap_read_subject(void)
{
    for (uint64_t a = (heap_subject.start + 7) & ~7ul; a + 8 <= heap_subject.start + heap_subject.size; a += 8) {
        _try {
            _push(heap_words, *(uint64_t *)a);
        } _catch (_fault f) {
            heap_unread += 8;
        }
    }
    _sort(heap_words _by x);
}

/// Says where a word stands outside of the heap.
_str heap_place_text(struct heap_place p)
{
    if (!p.at)
        return sprintf("register %s of thread %ld", p.name, p.tid);
    if (p.tid)
        return sprintf("stack of thread %ld", p.tid);
    if (!heap_files_known)
        heap_learn_files();
    _str name = _usym((void *)p.at);
    return _isprefix(name, "0x") ? "other memory" : name;
}

void heap_show_outside(void)
{
    long shown = 0;
    _foreach (p in heap_outside) {
        shown++;
        _str text = heap_place_text(p);
        if (PROMPT_JSON)
            printf("{\"outside\": %s, \"at\": \"0x%lx\", \"word\": \"0x%lx\"}\n", prompt_quoted(text), p.at, p.word);
        else if (p.at)
            printf("outside of the heap: %s, 0x%lx holds 0x%lx\n", text, p.at, p.word);
        else
            printf("outside of the heap: %s holds 0x%lx\n", text, p.word);
    }
    if (heap_outside_count > shown && !PROMPT_JSON)
        printf("… and %s more outside of the heap\n", prompt_thousands(heap_outside_count - shown));
}

_str heap_blocks_text(long n)
{
    return prompt_thousands(n) + (n == 1 ? " block" : " blocks");
}

/// Prints a group's row.
void heap_show_group(struct heap_group g)
{
    _str size = prompt_thousands(g.least);
    if (g.most > g.least)
        size = size + " .. " + prompt_thousands(g.most);
    printf("%12s %16s  %s\n", prompt_thousands(g.count), prompt_thousands(g.bytes), g.type == "" ? size : sprintf("%-22s %s", size, g.type));
}

/// The groups, those with most bytes first.
void heap_show_summary(void)
{
    struct heap_group groups[];
    _foreach ((type, size), g in heap_groups)
        _push(groups, g);
    _sort(groups _by x.bytes _desc);
    long count = 0;
    long bytes = 0;
    if (!PROMPT_JSON && _elems(groups) > 0)
        printf("%12s %16s  %-22s %s\n", "blocks", "bytes", "size", "type");
    _foreach (g in groups) {
        if (heap_shown >= HEAP_LIMIT)
            break;
        heap_shown++;
        count += g.count;
        bytes += g.bytes;
        if (PROMPT_JSON)
            printf("{\"type\": %s, \"blocks\": %ld, \"bytes\": %ld, \"least\": %lu, \"most\": %lu}\n", g.type == "" ? "null" : prompt_quoted(g.type), g.count,
                   g.bytes, g.least, g.most);
        else
            heap_show_group(g);
    }
    if (count < heap_count && !PROMPT_JSON)
        printf("… and %s more groups: %s, %s bytes\n", prompt_thousands(_elems(groups) - heap_shown), heap_blocks_text(heap_count - count),
               prompt_thousands(heap_bytes - bytes));
}

/// Describes the blocks that were kept, as `:what` does.
void heap_describe(void)
{
    uint64_t starts[];
    _foreach (b in heap_kept)
        _push(starts, b.start);
    prompt_put(starts);
    prompt_ask_all();
    _foreach (i, a in prompt_asked) {
        if (!PROMPT_JSON)
            printf("%s0x%lx\n", i ? "\n" : "", a);
        prompt_show(i);
    }
    if (_elems(heap_kept) > 0 && !PROMPT_JSON)
        puts("");
}

/// Prints what all comes to, as JSON. `shown` and `left_out` are rows: groups of `summarize`, else blocks.
void heap_write_total(void)
{
    long rows = HEAP_VERB == HEAP_SUMMARIZE ? _count(heap_groups) : heap_count;
    printf("{\"blocks\": %ld, \"bytes\": %ld, \"with_heads\": %ld, \"shown\": %ld, ", heap_count, heap_bytes, heap_whole, heap_shown);
    if (HEAP_VERB == HEAP_SUMMARIZE)
        printf("\"groups\": %ld, ", rows);
    printf("\"left_out\": %ld, \"outside\": %ld, \"differs\": %ld}\n", HEAP_VERB == HEAP_COUNT ? 0 : rows - heap_shown, heap_outside_count, heap_differs);
}

/// Prints what all comes to.
void heap_show_total(void)
{
    _str sets[] = { "", "in use", "free", "leaked", heap_count == 1 ? "that leads to" : "that lead to", "led to by" };
    if ((HEAP_VERB == HEAP_LIST || HEAP_VERB == HEAP_DESCRIBE) && heap_count > heap_shown)
        printf("… and %s more\n", prompt_thousands(heap_count - heap_shown));
    _str subject = HEAP_SET < HEAP_SET_INCOMING ? "" : sprintf(" the block at 0x%lx (%s bytes)", heap_subject.start, prompt_thousands(heap_subject.size));
    _str differs = heap_differs == 0 ? "" : sprintf("; what was met and the allocator's own count differ by %s bytes", prompt_thousands(heap_differs));
    printf("%s %s%s, %s bytes, %s with the allocator's heads%s\n", heap_blocks_text(heap_count), sets[HEAP_SET], subject, prompt_thousands(heap_bytes),
           prompt_thousands(heap_whole), differs);
    if (HEAP_SET == HEAP_SET_INCOMING)
        printf("%s outside of the heap lead%s there\n", heap_outside_count == 1 ? "1 word" : prompt_thousands(heap_outside_count) + " words",
               heap_outside_count == 1 ? "s" : "");
    if (HEAP_SET == HEAP_SET_FREE)
        for (int i = HEAP_FREE; i < HEAP_STATES; i++)
            if (heap_state_count[i] > 0)
                printf("  %s: %s, %s bytes\n", heap_state_names[i], heap_blocks_text(heap_state_count[i]), prompt_thousands(heap_state_bytes[i]));
}

/// Answers the question.
void heap_ask(void)
{
    if (heap_givers() == 0)
        _error("no allocator of this process is known whose blocks could be told: the library knows glibc's malloc");
#ifdef HEAP_OWNERS
    heap_owners_wanted = 1;
#endif
    switch (HEAP_SET) {
    case HEAP_SET_LEAKED:
        heap_go_over(HEAP_PASS_STORE);
        heap_mark();
        _foreach (i, b in heap_blocks)
            if (!heap_reached[i])
                heap_select(b);
        break;
    case HEAP_SET_INCOMING:
        heap_find_subject();
        heap_in_block = 1;
        heap_go_over(HEAP_PASS_SHOW);
        heap_in_block = 0;
        heap_scan_roots();
        break;
    case HEAP_SET_OUTGOING:
        heap_find_subject();
        heap_read_subject();
        heap_go_over(HEAP_PASS_SHOW);
        break;
    default:
        heap_go_over(HEAP_PASS_SHOW);
    }
    if (HEAP_VERB == HEAP_SUMMARIZE)
        heap_show_summary();
    if (HEAP_VERB == HEAP_DESCRIBE)
        heap_describe();
    if (HEAP_SET == HEAP_SET_INCOMING && HEAP_VERB != HEAP_COUNT)
        heap_show_outside();
    if (PROMPT_JSON)
        heap_write_total();
    else
        heap_show_total();
    if (heap_unread > 0)
        _warn("%hB could not be read, and count as if nothing stood there", (long)heap_unread);
    if (heap_registers_unknown > 0)
        _warn("the registers of %ld threads are not known: a block that only they lead to counts as leaked", heap_registers_unknown);
}

#endif
