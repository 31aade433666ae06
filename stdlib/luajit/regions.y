/// Where LuaJIT's own allocator has its memory: its segments, and the blocks of 128 KiB and more that it maps one by one. Needs no types: a main thread leads
/// to the allocator's state, or the state is known by what begins its first segment, and a large block says of itself what it is. A machine whose program
/// gave it another allocator has its memory there.
_module "libluajit-5.1.so*", "libluajit*.so*", _exe;

#ifndef LUAJIT_REGIONS_Y
#define LUAJIT_REGIONS_Y

#include <luajit/alloc.y>
#include <nginx/lua.y>
#include <linux/maps.y>

/// A machine: its allocator's state, what it is called, the bytes of its segments, and its large blocks.
struct lj_heap {
    struct lj_alloc_state *state;
    _str name;
    long segments_bytes;
    long large_blocks, large_bytes;
    /// Where its collector counts the bytes of objects, in eight bytes or in four; NULL if that is not known.
    void *counted;
    int wide;
};
struct lj_heap lj_heaps[];
/// What belongs to which: from start to end, and the index of the machine.
struct lj_region {
    uint64_t start, end;
    int heap;
};
struct lj_region lj_regions[];
/// Where a known segment or large block that begins at an address ends, and the index of its machine.
uint64_t lj_region_ends[uint64_t];
long lj_region_heaps[uint64_t];
/// Pages that were not looked at, since there were too many.
long lj_unsearched;
/// Machines of nginx whose memory is not LuaJIT's allocator's.
_str lj_foreign[];

#define LJ_REGIONS_MOST 1000000
// What large blocks are rounded up to, on every machine (LJ_PAGESIZE).
#define LJ_PAGESIZE 4096ul
// A chunk behind the large block's own: in use, the size of a word; and the bytes that a block has besides its chunk.
#define LJ_LARGE_TAIL 32ul

/// The index of the machine in whose segments an address lies, or -1.
long lj_heap_of(uint64_t a)
{
    _foreach (r in lj_regions)
        if (a >= r.start && a < r.end)
            return r.heap;
    return -1;
}

/// Adds a machine by its allocator's state, with its segments. Gives its index, or -1 if it is none.
long lj_add_heap(struct lj_alloc_state *state)
{
    _foreach (i, h in lj_heaps)
        if (h.state == state)
            return i;
    if (_elems(lj_heaps) >= 1000 || !lj_alloc_valid(state))
        return -1;
    struct lj_heap heap;
    long index = _elems(lj_heaps);
    heap.state = state;
    heap.name = "LuaJIT";
    _try {
        struct lj_alloc_segment *s = &state->seg;
        for (int i = 0; s && i < LJ_REGIONS_MOST; i++) {
            uint64_t start = (uint64_t)s->base;
            if (start in lj_region_ends)
                break;
            _push(lj_regions, (struct lj_region){ start, start + s->size, (int)index });
            lj_region_ends[start] = start + s->size;
            lj_region_heaps[start] = index;
            heap.segments_bytes += s->size;
            s = s->next;
        }
    } _catch (_fault f) {
        // The others are on the list behind it.
    }
    _push(lj_heaps, heap);
    return index;
}

/// The bytes of the large block that begins at a page, or 0. Its head says that it lies at the start of a mapping of its own, and behind it stands a fence.
uint64_t lj_large_block(uint64_t p, uint64_t end)
{
    if (p + LJ_PAGESIZE > end)
        return 0;
    struct lj_alloc_chunk *c = (struct lj_alloc_chunk *)p;
    uint64_t head = c->head;
    uint64_t size = head & ~LJ_ALLOC_FLAGS;
    if (c->prev_foot != 1 || (head & LJ_ALLOC_FLAGS) != LJ_ALLOC_IN_USE || ((size + LJ_LARGE_TAIL) & LJ_PAGESIZE - 1) || size + LJ_LARGE_TAIL > end - p)
        return 0;
    return ((struct lj_alloc_chunk *)(p + size))->head == LJ_ALLOC_FENCE ? size + LJ_LARGE_TAIL : 0;
}

/// Where memory of LuaJIT that begins at a page ends, or 0. Of a large block, the machine is that of the memory before it, or else the first.
uint64_t lj_region_at(uint64_t p, uint64_t end, long before)
{
    if (p in lj_region_ends)
        return lj_region_ends[p];
    if (_elems(lj_heaps) == 0)
        return 0;
    uint64_t bytes = lj_large_block(p, end);
    if (!bytes)
        return 0;
    int index = before < 0 ? 0 : before;
    _push(lj_regions, (struct lj_region){ p, p + bytes, index });
    lj_region_ends[p] = p + bytes;
    lj_region_heaps[p] = index;
    lj_heaps[index].large_blocks++;
    lj_heaps[index].large_bytes += bytes;
    return p + bytes;
}

/// Adds the machine of a main thread, which it is called by. The state of the allocator stands at the beginning of the machine's, behind the allocator's
/// function; until 2020 the head of the string table came before both.
void lj_add_thread(void *thread, _str name)
{
    if (!thread)
        return;
    _try {
        // A 64-bit reference to the machine behind 16 bytes, or a 32-bit one behind 8.
        uint64_t machines[2] = { ((uint64_t *)thread)[2], ((uint32_t *)thread)[2] };
        for (int i = 0; i < 2; i++) {
            for (int at = 1; at < 4; at += 2) {
                uint64_t word = machines[i] + at * 8;
                if (machines[i] < process_page || !_readable((void *)word, 8))
                    continue;
                long index = lj_add_heap(*(struct lj_alloc_state **)word);
                if (index < 0 || lj_heap_of((uint64_t)thread) != index)
                    continue;
                lj_heaps[index].name = name == "" ? "LuaJIT" : "LuaJIT " + name;
                lj_heaps[index].counted = (void *)(machines[i] + (at + 1) * 8);
                lj_heaps[index].wide = i == 0;
                return;
            }
        }
    } _catch (_fault f) {
        // It leads to where nothing can be read.
    }
    _push(lj_foreign, name == "" ? "LuaJIT" : "LuaJIT " + name);
}

/// What the collector of a machine counts; -1 where that is not known.
long lj_counted(struct lj_heap heap)
{
    _try {
        if (heap.counted)
            return heap.wide ? *(uint64_t *)heap.counted : *(uint32_t *)heap.counted;
    } _catch (_fault f) {
        return -1;
    }
    return -1;
}

/// What the segments of a machine are now, in bytes; 0 where they cannot be followed.
long lj_segments_now(struct lj_heap heap)
{
    long bytes = 0;
    _try {
        struct lj_alloc_segment *s = &heap.state->seg;
        for (int i = 0; s && i < LJ_REGIONS_MOST; i++) {
            bytes += s->size;
            s = s->next;
        }
    } _catch (_fault f) {
        return 0;
    }
    return bytes;
}

// What begins the first segment is a chunk in use that is as large as the allocator's state, which has grown by a pointer since.
#define LJ_STATE_LEAST (sizeof(struct lj_alloc_state) + 8)
#define LJ_STATE_MOST (sizeof(struct lj_alloc_state) + 128)
// So many pages are looked at for it, and for large blocks.
#ifndef LJ_PAGES_MOST
#define LJ_PAGES_MOST 262144
#endif

/// Looks for allocators' states at every page of anonymous memory.
void lj_search(void)
{
    long pages = 0;
    _foreach (m in process_maps) {
        if (m.kind != PROCESS_ANON || process_empty(m) || !_contains(m.perms, "w"))
            continue;
        _try {
            for (uint64_t p = m.start; p < m.end; p += process_page) {
                if (pages++ >= LJ_PAGES_MOST) {
                    lj_unsearched += (m.end - p) / process_page;
                    break;
                }
                uint64_t head = ((struct lj_alloc_chunk *)p)->head;
                if ((head & LJ_ALLOC_FLAGS) == LJ_ALLOC_FLAGS && head >= LJ_STATE_LEAST && head <= LJ_STATE_MOST)
                    lj_add_heap((struct lj_alloc_state *)(p + 16));
            }
        } _catch (_fault f) {
            // The rest of it cannot be read.
        }
    }
}

void lj_forget(void)
{
    _clear(lj_heaps);
    _clear(lj_regions);
    _clear(lj_region_ends);
    _clear(lj_region_heaps);
    lj_unsearched = 0;
    _clear(lj_foreign);
}

/// Finds all machines and their segments: by nginx's pointers and the stand-alone program's, else by a search.
void lj_find_heaps(void)
{
    lj_add_thread(ngx_http_lua_vm(), "http");
    lj_add_thread(ngx_stream_lua_vm(), "stream");
##ifdefvar globalL
    lj_add_thread(*(void **)&globalL, "");
##endif
##ifdeffunc luaJIT_setmode
    if (_elems(lj_heaps) == 0 && _elems(lj_foreign) == 0)
        lj_search();
##endif
}

/// Where memory of someone else that begins at an address ends, or 0.
__attribute__((weak)) uint64_t lj_other_until(uint64_t p) { return 0; }

/// Finds the large blocks: at all pages of anonymous memory that are nobody else's.
void lj_find_large_blocks(void)
{
    long pages = 0;
    if (_elems(lj_heaps) == 0)
        return;
    _foreach (m in process_maps) {
        if (m.kind != PROCESS_ANON || process_empty(m))
            continue;
        long before = -1;
        uint64_t p = m.start;
        _try {
            while (p < m.end) {
                if (pages++ >= LJ_PAGES_MOST) {
                    lj_unsearched += (m.end - p) / process_page;
                    break;
                }
                uint64_t next = lj_other_until(p) ? : lj_region_at(p, m.end, before);
                if (p in lj_region_heaps)
                    before = lj_region_heaps[p];
                p = next > p ? next : p + process_page;
            }
        } _catch (_fault f) {
            // The rest of it cannot be read.
        }
    }
}

#endif
