/// The address space of a process, divided among those who use it: each mapping has a kind by its name and permissions, and parts of mappings can be
/// claimed by whoever knows better (an allocator, a thread). Each page is counted once.
///
///     process_take_maps(0);
///     process_claim(start, end, process_part("my cache"));
///     process_divide();            // fills `process_parts`

#ifndef LINUX_MAPS_Y
#define LINUX_MAPS_Y

/// A mapping, with the kernel's figures of it in bytes.
struct process_map {
    uint64_t start, end;
    int kind;
    long resident, unshared, swapped, proportional;
    /// In pages of hugetlbfs, which the kernel does not count as resident.
    long huge;
    /// The file or the shared memory; inode 0 for none.
    uint64_t device, inode;
    _str perms, file;
};
struct process_map process_maps[];
/// Looks at the figures of a mapping, or of a part of one, that the kernel did not answer, and the bytes of addresses that they were of.
long process_unknown, process_unknown_bytes;
uint64_t process_page;
/// Whether proportional shares were asked for.
int process_proportional;
/// Whether nothing can be in a mapping: nothing of it is in memory. Of a core file that is not known.
#define process_empty(m) ((m).resident == 0 && (m).swapped == 0 && (m).huge == 0 && _is_live())

/// Who uses memory, with the sums of it.
struct process_sum {
    _str name;
    long size, resident, unshared, proportional, swapped;
};
struct process_sum process_parts[];
int process_part_numbers[_str];

/// The number of a part, which is made if there is none of the name.
int process_part(_str name)
{
    if (name in process_part_numbers)
        return process_part_numbers[name];
    struct process_sum sum;
    sum.name = name;
    process_part_numbers[name] = _elems(process_parts);
    _push(process_parts, sum);
    return _elems(process_parts) - 1;
}

// Kinds of mappings.
#define PROCESS_ANON 1     // private memory of no file, for some allocator
#define PROCESS_TEXT 2     // of the program and its libraries: what is not written
#define PROCESS_DATA 3     // what is, and the zeroed data behind it
#define PROCESS_STACK 4    // of the main thread
#define PROCESS_JIT 5      // executable memory of no file
#define PROCESS_SHARED 6   // shared memory
#define PROCESS_ZEROES 7   // shared memory without a name, for the process and those that it forks
#define PROCESS_FILE 8     // other files
#define PROCESS_RESERVED 9 // addresses that cannot be accessed
#define PROCESS_HUGE 10    // pages of hugetlbfs, which the kernel does not count as resident
#define PROCESS_OTHER 11

_str process_file_name(_str file)
{
    return _issuffix(file, " (deleted)") ? _substr(file, 0, _len(file) - 10) : file;
}

/// What a mapping is. `modules` has the files of the program and its libraries, `data_end` is where the last mapping that was a module's data ended.
int process_kind_of(_str perms, _str file, uint64_t start, int modules[_str], uint64_t data_end)
{
    int private = _contains(perms, "p");
    if (file == "" || _isprefix(file, "[anon") || file == "[heap]") {
        if (!private)
            return PROCESS_ZEROES;
        if (_isprefix(perms, "---"))
            return PROCESS_RESERVED;
        if (_contains(perms, "x"))
            return PROCESS_JIT;
        return file == "" && start == data_end && _contains(perms, "w") ? PROCESS_DATA : PROCESS_ANON;
    }
    if (file == "[stack]")
        return PROCESS_STACK;
    if (_isprefix(file, "["))
        return PROCESS_OTHER;
    _str name = process_file_name(file);
    if (_isprefix(name, "/anon_hugepage"))
        return PROCESS_HUGE;
    if (name in modules)
        return _contains(perms, "w") ? PROCESS_DATA : PROCESS_TEXT;
    if (private)
        return PROCESS_FILE;
    if (name == "/dev/zero")
        return PROCESS_ZEROES;
    return _isprefix(name, "/memfd:") || _isprefix(name, "/SYSV") || _isprefix(name, "/dev/shm/") ? PROCESS_SHARED : PROCESS_FILE;
}

/// Notes that the kernel did not tell of so many bytes of addresses.
void process_miss(long bytes)
{
    process_unknown++;
    process_unknown_bytes += bytes;
}

/// Takes the mappings of the process, in the order of addresses; with proportional shares, which cost more, if they are wanted.
void process_take_maps(int proportional)
{
    int modules[_str];
    _foreach (module in _modules())
        modules[process_file_name(module.path)] = 1;
    _clear(process_maps);
    process_page = _page_size();
    process_proportional = proportional;
    process_unknown = 0;
    process_unknown_bytes = 0;
    uint64_t data_end = 0;
    _foreach (m in _maps(proportional)) {
        struct process_map map;
        map.start = (uint64_t)m.start;
        map.end = (uint64_t)m.end;
        map.perms = m.perms;
        map.file = m.file;
        map.device = m.device;
        map.inode = m.inode;
        if (m.rss >= 0) {
            map.resident = m.rss;
            map.unshared = m.unshared;
            map.swapped = m.swap;
            map.huge = m.hugetlb;
            map.proportional = proportional ? m.pss : 0;
        } else if (_is_live()) {
            process_miss(map.end - map.start);
        }
        // Its pages tell hugetlbfs, whatever the file is called.
        map.kind = map.huge > 0 ? PROCESS_HUGE : process_kind_of(m.perms, m.file, map.start, modules, data_end);
        if (map.kind == PROCESS_DATA || map.kind == PROCESS_TEXT)
            data_end = map.end;
        _push(process_maps, map);
    }
}

/// For sums of `process_object_bytes`: what has been counted, by a word for the sum.
int process_objects[_str, uint64_t, uint64_t];

/// What the kernel holds of the file or the shared memory of a mapping, whoever has touched it: 0 where a sum has it already, from another mapping of it; -1
/// where that may not be seen.
long process_object_bytes(_str sum, struct process_map m)
{
    uint64_t device = m.device, inode = m.inode;
    if (inode != 0) {
        if ((sum, device, inode) in process_objects)
            return 0;
        process_objects[sum, device, inode] = 1;
    }
    return _object_bytes((void *)m.start);
}

/// The index of the mapping that an address lies in, or -1.
long process_map_at(uint64_t a)
{
    long low = 0;
    long high = _elems(process_maps);
    while (low < high) {
        long middle = (low + high) / 2;
        if (process_maps[middle].end <= a)
            low = middle + 1;
        else
            high = middle;
    }
    return low < _elems(process_maps) && process_maps[low].start <= a ? low : -1;
}

/// What is claimed of the address space.
struct process_claim {
    uint64_t start, end;
    int part;
};
struct process_claim process_claims[];

/// Claims addresses for a part. Of claims that overlap, the one that begins first has what both want.
void process_claim(uint64_t start, uint64_t end, int part)
{
    long last = _elems(process_claims) - 1;
    if (end <= start)
        return;
    // What lies side by side, as blocks that are mapped one after another do, is one claim.
    if (last >= 0 && process_claims[last].part == part && process_claims[last].end == start) {
        process_claims[last].end = end;
        return;
    }
    _push(process_claims, (struct process_claim){ start, end, part });
}

/// Forgets claims and sums.
void process_forget(void)
{
    _clear(process_claims);
    _clear(process_parts);
    _clear(process_part_numbers);
}

void process_add(int part, long size, long resident, long unshared, long proportional, long swapped)
{
    struct process_sum sum = process_parts[part];
    sum.size += size;
    sum.resident += resident;
    sum.unshared += unshared;
    sum.proportional += proportional;
    sum.swapped += swapped;
    process_parts[part] = sum;
}

long process_between(long low, long value, long high)
{
    return value < low ? low : value > high ? high : value;
}

/// The part that a mapping belongs to where nobody claims it. The default is by its kind.
__attribute__((weak)) int process_part_of(struct process_map m)
{
    switch (m.kind) {
    case PROCESS_TEXT: return process_part("text");
    case PROCESS_DATA: return process_part("data");
    case PROCESS_STACK: return process_part("stack, main thread");
    case PROCESS_JIT: return process_part("JIT machine code");
    case PROCESS_SHARED: return process_part("shared memory");
    case PROCESS_ZEROES: return process_part("shared memory, no name");
    case PROCESS_FILE: return process_part("mapped files");
    case PROCESS_HUGE: return process_part("hugetlb pages");
    case PROCESS_OTHER: return process_part("other");
    case PROCESS_RESERVED: return process_part("reserved, not accessible");
    }
    return process_part("anonymous, unknown allocator");
}

/// Called for what is left of each mapping when the claims have been served, with its figures.
__attribute__((weak)) void process_on_rest(struct process_map rest) { }

/// Divides all mappings among the claims and, for the rest, the parts by kind. The figures of a mapping are the kernel's; those of a part of one are taken
/// from the page table right after, and the rest is what remains. The proportional share of a part of a mapping is its own pages and as much of the
/// mapping's share of others' pages as it has of such pages.
void process_divide(void)
{
    uint64_t page = process_page;
    _sort(process_claims _by x.start);
    long claims = _elems(process_claims);
    long first = 0;
    _foreach (m in process_maps) {
        struct process_map rest = m;
        long size = m.end - m.start;
        while (first < claims && process_claims[first].end <= m.start)
            first++;
        uint64_t at = m.start;
        for (long i = first; i < claims; i++) {
            struct process_claim c = process_claims[i];
            if (c.start >= m.end)
                break;
            uint64_t start = c.start < at ? at : c.start & ~(page - 1);
            uint64_t end = c.end > m.end ? m.end : (c.end + page - 1) & ~(page - 1);
            if (start < at)
                start = at;
            if (end <= start)
                continue;
            long bytes = end - start;
            long resident = rest.resident;
            long unshared = rest.unshared;
            long swapped = rest.swapped;
            long proportional = rest.proportional;
            if (bytes < size && (resident > 0 || swapped > 0)) {
                long told = _resident((void *)start, bytes);
                if (told < 0)
                    process_miss(bytes);
                resident = process_between(0, told, resident);
                unshared = process_between(0, _unshared((void *)start, bytes), unshared < resident ? unshared : resident);
                swapped = process_between(0, _swapped((void *)start, bytes), swapped);
                long shared = m.resident - m.unshared;
                double others = shared > 0 ? (double)(m.proportional - m.unshared) * (resident - unshared) / shared : 0;
                proportional = process_between(0, process_proportional ? unshared + (long)others : 0, proportional);
            }
            process_add(c.part, bytes, resident, unshared, proportional, swapped);
            rest.resident -= resident;
            rest.unshared -= unshared;
            rest.swapped -= swapped;
            rest.proportional -= proportional;
            size -= bytes;
            at = end;
        }
        if (size > 0) {
            process_add(process_part_of(rest), size, rest.resident, rest.unshared, rest.proportional, rest.swapped);
            process_on_rest(rest);
        }
    }
}

#endif
