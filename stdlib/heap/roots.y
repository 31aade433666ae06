/// Where words that lead into the heap can stand outside of it: registers and stacks of threads, variables, and all other private memory of the process
/// that no allocator has given out.

#ifndef HEAP_ROOTS_Y
#define HEAP_ROOTS_Y

#include <prompt/answers.y>

/// Memory that allocators have, in the order of addresses: blocks that follow one another are one.
struct heap_region {
    uint64_t start, end;
};
struct heap_region heap_regions[];
int heap_regions_sorted;

/// Adds memory that an allocator has.
void heap_add_region(uint64_t start, uint64_t size)
{
    long n = _elems(heap_regions);
    if (n > 0 && heap_regions[n - 1].end == start)
        heap_regions[n - 1].end = start + size;
    else
        _push(heap_regions, (struct heap_region){ start, start + size });
    heap_regions_sorted = 0;
}

/// Where a word stands outside of the heap.
struct heap_place {
    /// The address of the word, or 0 for a register.
    uint64_t at;
    uint64_t word;
    /// The thread whose register or stack it is, or 0; and the register.
    long tid;
    _str name;
};

/// The words of interest are those in `[heap_low, heap_low + heap_span)`; each that is found is given to `heap_meet`, which knows by `heap_now` where that is.
uint64_t heap_low, heap_span;
struct heap_place heap_now;
/// The threads whose registers are not known.
long heap_registers_unknown;
__attribute__((weak)) void heap_meet(uint64_t at, uint64_t word) { }

/// Bytes that could not be read, or were given back while they were.
uint64_t heap_unread;
uint64_t heap_page;

/// Looks through some memory.
void heap_scan(uint64_t start, uint64_t end)
{
    uint64_t a = (start + 7) & ~7ul;
    if (!heap_page)
        heap_page = _page_size();
    while (a + 8 <= end) {
        _try {
            uint64_t low = heap_low;
            uint64_t span = heap_span;
            while (a + 8 <= end) {
                uint64_t w = *(uint64_t *)a;
                if (w - low < span)
                    heap_meet(a, w);
                a += 8;
            }
        } _catch (_fault f) {
            // The next page may be there.
            uint64_t next = (a | (heap_page - 1)) + 1;
            heap_unread += (next < end ? next : end) - a;
            a = next;
        }
    }
}

// Holes of larger mappings than this are left out, a piece of that size at a time.
#define HEAP_PIECE (1ul << 20)

/// The same for what may have large holes: memory that was never used is not read.
void heap_scan_sparse(uint64_t start, uint64_t end)
{
    if (end - start <= 16 * HEAP_PIECE || !_is_live()) {
        heap_scan(start, end);
        return;
    }
    for (uint64_t a = start; a < end; a += HEAP_PIECE) {
        uint64_t size = end - a < HEAP_PIECE ? end - a : HEAP_PIECE;
        if (_resident((void *)a, size) != 0 || _swapped((void *)a, size) != 0)
            heap_scan(a, a + size);
    }
}

/// Looks through the part of some memory that is not the heap's.
void heap_scan_outside(uint64_t start, uint64_t end)
{
    // The first region that ends behind the start.
    long low = 0;
    long high = _elems(heap_regions);
    while (low < high) {
        long middle = (low + high) / 2;
        if (heap_regions[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    for (long i = low; start < end && i < _elems(heap_regions) && heap_regions[i].start < end; i++) {
        if (heap_regions[i].start > start)
            heap_scan_sparse(start, heap_regions[i].start);
        if (heap_regions[i].end > start)
            start = heap_regions[i].end;
    }
    if (start < end)
        heap_scan_sparse(start, end);
}

/// What lies below the stack pointer belongs to the function that runs, as far as this (System V ABI for x86-64).
#define HEAP_RED_ZONE 128

/// The stack of a thread: what lies from `start` to `sp` is known to be stack that is not in use; `end` is where it ends, or 0 where that is not known.
/// One that grows has a mapping of its own, if its end lies in the same one.
struct heap_stack {
    uint64_t start, sp, end;
    int grows;
    long tid;
};
struct heap_stack heap_stacks[];

/// Where the stack of the thread at hand begins and ends, as `heap_find_stack` has found; 0 where that is not known. Then nothing is left out: what lies below the stack
/// pointer may be anything that the program has put there.
uint64_t heap_stack_start, heap_stack_end;
/// Whether it is the first thread's, which the kernel has made and lets grow.
int heap_stack_grows;
/// Finds the stack of a thread that its stack pointer lies in; `block` is its pointer to thread-local storage, or 0. A thread library's file defines it.
__attribute__((weak)) void heap_find_stack(long tid, uint64_t sp, uint64_t block) { }

/// Notes the stack of a thread.
void heap_add_stack(uint64_t sp, uint64_t block, long tid)
{
    heap_stack_start = 0;
    heap_stack_end = 0;
    heap_stack_grows = 0;
    heap_find_stack(tid, sp, block);
    sp -= HEAP_RED_ZONE;
    uint64_t start = heap_stack_start && heap_stack_start < sp ? heap_stack_start : sp;
    _push(heap_stacks, (struct heap_stack){ start, sp, heap_stack_end, heap_stack_grows, tid });
}

/// Looks at a register.
#define heap_look_at_register(register, tid) \
    do { \
        heap_now.name = register; \
        uint64_t w = _reg(register, tid); \
        if (w - heap_low < heap_span) \
            heap_meet(0, w); \
    } while (0)

/// Looks at the registers of all threads, and notes where their stacks are.
void heap_scan_registers(void)
{
    heap_registers_unknown = 0;
    _foreach (thread in _threads()) {
        uint64_t sp = (uint64_t)thread.sp;
        uint64_t block = 0;
        heap_now.tid = thread.tid;
        _try {
            sp = _reg("rsp", thread.tid);
            block = _reg("fs_base", thread.tid);
            heap_look_at_register("rax", thread.tid);
            heap_look_at_register("rbx", thread.tid);
            heap_look_at_register("rcx", thread.tid);
            heap_look_at_register("rdx", thread.tid);
            heap_look_at_register("rsi", thread.tid);
            heap_look_at_register("rdi", thread.tid);
            heap_look_at_register("rbp", thread.tid);
            heap_look_at_register("r8", thread.tid);
            heap_look_at_register("r9", thread.tid);
            heap_look_at_register("r10", thread.tid);
            heap_look_at_register("r11", thread.tid);
            heap_look_at_register("r12", thread.tid);
            heap_look_at_register("r13", thread.tid);
            heap_look_at_register("r14", thread.tid);
            heap_look_at_register("r15", thread.tid);
        } _catch (_fault f) {
            // While it runs, or in a core file without them.
            heap_registers_unknown++;
        }
        if (sp)
            heap_add_stack(sp, block, thread.tid);
    }
    heap_now.tid = 0;
    heap_now.name = "";
}

/// Looks through what lies above the stack pointer of a thread, as far as the next stack or the end of the mapping.
void heap_scan_above(uint64_t start, uint64_t end, struct heap_stack s)
{
    uint64_t own = s.end && s.end < end ? s.end : end;
    if (start < own) {
        heap_now.tid = s.tid;
        heap_scan_outside(start, own);
        start = own;
    }
    heap_now.tid = 0;
    if (start < end)
        heap_scan_outside(start, end);
}

/// Looks through a mapping, but for what is known to be stack that is not in use. `named` is whether the kernel calls it the first thread's stack: a core file has no
/// such names.
void heap_scan_mapping(uint64_t start, uint64_t end, int named)
{
    struct heap_stack above;
    above.tid = 0;
    above.end = start;
    uint64_t a = start;
    _foreach (s in heap_stacks) {
        if (s.sp < start || s.sp >= end)
            continue;
        int own = named || (s.grows && s.end < end);
        if (own)
            s.end = 0;
        uint64_t unused = own && a == start ? start : s.start;
        if (unused > a)
            heap_scan_above(a, unused, above);
        a = a < s.sp ? s.sp : a;
        above = s;
    }
    heap_scan_above(a, end, above);
}

/// Looks through all that is not the heap's. Shared memory is not looked at: other processes have it at other addresses.
void heap_scan_roots(void)
{
    if (!heap_regions_sorted)
        _sort(heap_regions _by x.start);
    heap_regions_sorted = 1;
    heap_scan_registers();
    _sort(heap_stacks _by x.sp);
    _foreach (m in _maps()) {
        if (!(m.perms ~~ rx/^r..p/) || m.file == "[vvar]" || m.file == "[vsyscall]" || m.file == "[vdso]")
            continue;
        uint64_t start = (uint64_t)m.start;
        uint64_t end = (uint64_t)m.end;
        // What nobody has written holds no pointers into a heap, nor does what was never there. Of such files core files have the first page alone.
        if (m.perms ~~ rx/^r-/ && (_is_live() ? m.anon == 0 && m.swap == 0 : m.dumped == 0 || (m.file != "" && m.dumped <= _page_size() && m.dumped < end - start)))
            continue;
        if (m.rss == 0 && m.swap == 0 && _is_live())
            continue;
        heap_scan_mapping(start, end, m.file == "[stack]");
    }
    heap_now.tid = 0;
}

#endif
