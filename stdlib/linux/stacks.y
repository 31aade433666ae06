/// The stacks of threads: where their stack pointers are while they wait in the kernel, or lie above a guard and end in a thread's control block, which is
/// how glibc keeps those of threads that run or have ended.

#ifndef LINUX_STACKS_Y
#define LINUX_STACKS_Y

#include <linux/maps.y>

// No further above a stack pointer is a control block looked for.
#define PROCESS_STACK_MOST (64ul << 20)

/// How many stacks were found, of threads and without one, and how many threads' were not.
long process_stacks, process_stacks_free, process_stacks_missing;

/// Whether a thread's control block lies at an address: on x86-64 glibc's begins with its own address, and has it once more (tcbhead_t: tcb, dtv, self).
int process_is_control_block(uint64_t a)
{
    return *(uint64_t *)a == a && *(uint64_t *)(a + 16) == a;
}

/// Where a stack ends that reaches above `from`: behind the control block at its upper end; 0 where there is none before `end`.
uint64_t process_stack_end(uint64_t from, uint64_t end)
{
    _try {
        for (uint64_t a = (from + 63) & ~63ul; a + 24 <= end && a - from < PROCESS_STACK_MOST; a += 64)
            if (process_is_control_block(a))
                return (a | process_page - 1) + 1;
    } _catch (_fault f) {
        // It ends with what can be read.
    }
    return 0;
}

/// Which of some threads has the control block that a stack ends in: the one whose number stands in it; 0 for none of them.
long process_stack_owner(uint64_t end, long threads[long])
{
    _try {
        for (uint64_t a = end - process_page; a + 4 <= end; a += 4) {
            long tid = *(int *)a;
            if (tid > 0 && tid in threads)
                return tid;
        }
    } _catch (_fault f) {
        return 0;
    }
    return 0;
}

/// Claims the stacks of threads. `first` is the part for that of the first thread where its mapping has no name, as in a core file; `threads` and `without`
/// are those for stacks of others and of none.
void process_claim_stacks(int first, int threads, int without)
{
    uint64_t known[uint64_t];
    // Threads that run, and so have no stack pointer to be known by.
    long running[long];
    process_stacks = 0;
    process_stacks_free = 0;
    _foreach (t in _threads()) {
        long i = t.sp ? process_map_at((uint64_t)t.sp) : -1;
        if (t.tid == _pid()) {
            // One that a program has made for it lies amid other memory.
            if (i >= 0 && process_maps[i].kind == PROCESS_ANON && !_is_live())
                process_claim(process_maps[i].start, process_maps[i].end, first);
            continue;
        }
        if (i < 0 || process_maps[i].kind != PROCESS_ANON) {
            running[t.tid] = 1;
            continue;
        }
        struct process_map m = process_maps[i];
        uint64_t end = process_stack_end((uint64_t)t.sp, m.end) ? : m.end;
        // Without guards between them, stacks lie side by side in one mapping.
        uint64_t start = m.start;
        _foreach (other, other_end in known)
            if (other_end > start && other_end <= (uint64_t)t.sp)
                start = other_end;
        known[start] = end;
        process_stacks++;
    }
    _foreach (start, end in known _by start)
        process_claim(start, end, threads);
    for (long i = 1; i < _elems(process_maps); i++) {
        struct process_map guard = process_maps[i - 1];
        struct process_map m = process_maps[i];
        if (m.kind != PROCESS_ANON || guard.kind != PROCESS_RESERVED || guard.end != m.start || process_empty(m) || m.start in known)
            continue;
        uint64_t end = process_stack_end(m.end - process_page, m.end);
        if (!end)
            continue;
        long owner = process_stack_owner(end, running);
        process_claim(m.start, end, owner ? threads : without);
        if (owner) {
            _delete running[owner];
            process_stacks++;
        } else {
            process_stacks_free++;
        }
    }
    process_stacks_missing = _elems(running);
}

#endif
