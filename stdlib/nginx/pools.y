/// All pools of an nginx: those that cycles, connections, requests and modules own, and those that nobody is known to own, found among the blocks of
/// malloc by what a pool's head looks like.
///
/// A pool does not say who made it. Its owner follows from who points to it; failing that, its first object tells cycles and requests, and else its cleanup
/// handlers and most of the pointers in it tell the module.

#ifndef NGINX_POOLS_Y
#define NGINX_POOLS_Y

#include <nginx/cycle.y>
#include <glibc/result.y>

// Kinds. A number as a key is far cheaper than a text.
#define NGX_K_CYCLE 1
#define NGX_K_OLD_CYCLE 2
#define NGX_K_NEW_CYCLE 3
#define NGX_K_CONNECTION 4
#define NGX_K_REQUEST 5
#define NGX_K_UPSTREAM 6
#define NGX_K_MODULE 7
#define NGX_K_UNOWNED 8
#define NGX_KINDS 9

_str ngx_kind_name(int kind)
{
    switch (kind) {
    case NGX_K_CYCLE: return "cycle";
    case NGX_K_OLD_CYCLE: return "old cycle";
    case NGX_K_NEW_CYCLE: return "new cycle";
    case NGX_K_CONNECTION: return "connection";
    case NGX_K_REQUEST: return "request";
    case NGX_K_UPSTREAM: return "upstream";
    case NGX_K_MODULE: return "module";
    case NGX_K_UNOWNED: return "UNOWNED";
    }
    return "?";
}

/// What one pool holds, in bytes: of its blocks (headers not included) taken and not, and in large blocks, as malloc gave them.
struct ngx_pool_size {
    uint64_t blocks;
    uint64_t used;
    uint64_t unused;
    uint64_t large;
    uint64_t large_bytes;
    uint64_t total; // all of it as malloc counts: with the headers of pools and of chunks
    uint64_t cut;   // parts that could not be walked
};

/// The pools by kind, and who owns or made each: a symbol, "" if that is not known.
int ngx_pools[ngx_pool_t *];
_str ngx_pool_owner[ngx_pool_t *];
/// Heads that the scan of malloc's blocks has found, and whether a pool's blocks were seen as part of another's chain.
ngx_pool_t *ngx_pool_found[];
uint8_t ngx_pool_inner[ngx_pool_t *];
/// Pools that are known by their owner, and those of them that the scan has found, too.
long ngx_pools_owned, ngx_pools_confirmed;
/// No more blocks of one pool, and no more large blocks, are followed.
#define NGX_MOST_BLOCKS 20000000

/// The size of the chunk that a block of malloc lies in, by its head; 0 if what stands before it is no head.
uint64_t ngx_chunk_bytes(void *block)
{
    mchunkptr p = mem2chunk(block);
    return glibc_valid_chunk(p) ? chunksize(p) : 0;
}

/// How much of a block of malloc can be used.
uint64_t ngx_usable(void *block)
{
    mchunkptr p = mem2chunk(block);
    return glibc_valid_chunk(p) ? memsize(p) : 0;
}

/// What a pool holds. Faults end it early and are counted in `cut`.
struct ngx_pool_size ngx_measure_pool(ngx_pool_t *pool)
{
    struct ngx_pool_size s;
    _try {
        ngx_pool_t *block = pool;
        for (uint64_t i = 0; block; i++) {
            uint64_t start = (uint64_t)block + (block == pool ? sizeof(ngx_pool_t) : sizeof(ngx_pool_data_t));
            uint64_t last = (uint64_t)block->d.last;
            uint64_t end = (uint64_t)block->d.end;
            if (i >= NGX_MOST_BLOCKS || end < start || last > end || last < start) {
                s.cut++;
                break;
            }
            s.blocks++;
            s.used += last - start;
            s.unused += end - last;
            uint64_t chunk = ngx_chunk_bytes(block);
            s.total += chunk >= end - (uint64_t)block ? chunk : end - (uint64_t)block;
            block = block->d.next;
        }
    } _catch (_fault f) {
        s.cut++;
    }
    _try {
        ngx_pool_large_t *large = pool->large;
        for (uint64_t i = 0; large; i++) {
            if (i >= NGX_MOST_BLOCKS) {
                s.cut++;
                break;
            }
            if (large->alloc) {
                uint64_t chunk = ngx_chunk_bytes(large->alloc);
                if (chunk == 0)
                    s.cut++;
                else
                    s.large_bytes += ngx_usable(large->alloc);
                s.large++;
                s.total += chunk;
            }
            large = large->next;
        }
    } _catch (_fault f) {
        s.cut++;
    }
    return s;
}

/// Notes the owner of a pool, if it is one and has none yet.
void ngx_own_pool(ngx_pool_t *pool, int kind, _str owner)
{
    if (!pool || ngx_pools[pool])
        return;
    if (!ngx_valid_pool(pool)) {
        ngx_skipped++;
        return;
    }
    ngx_pools[pool] = kind;
    ngx_pool_owner[pool] = owner;
    ngx_pools_owned++;
}

#define NGX_SIGNATURE_HTTP 0x50545448u

/// The request that a connection's data is, or NULL: a request says so in its first word and knows its connection.
ngx_http_request_t *ngx_request_of(ngx_connection_t *c)
{
    _try {
        ngx_http_request_t *r = (ngx_http_request_t *)c->data;
        if (r && ((uint64_t)r & 7) == 0 && _readable(r, sizeof(ngx_http_request_t)) && r->signature == NGX_SIGNATURE_HTTP && r->connection == c)
            return r;
    } _catch (_fault f) {
    }
    return NULL;
}

/// The handler of a connection's listening socket, or of its events where it was opened by nginx itself.
_str ngx_connection_owner(ngx_connection_t *c)
{
    _try {
        if (c->listening)
            return ngx_symbol((uint64_t)c->listening->handler);
        return ngx_symbol((uint64_t)c->write->handler);
    } _catch (_fault f) {
        return "";
    }
}

/// The handler that makes a request's answer.
_str ngx_request_owner(ngx_http_request_t *r)
{
##ifdeffield ngx_http_request_t content_handler
    _try {
        if (r->content_handler)
            return ngx_symbol((uint64_t)r->content_handler);
    } _catch (_fault f) {
    }
##endif
    return "";
}

/// Connections that are on the list of free ones, by address.
uint8_t ngx_free_connection[ngx_connection_t *];

/// Whether what does not add up is only counted: where pools are one thing among others.
int ngx_quiet;

/// Learns which connections are free. What the cycle says they are, is checked.
void ngx_learn_free_connections(ngx_cycle_t *cycle)
{
    uint64_t n = 0;
    _try {
        ngx_connection_t *c = cycle->free_connections;
        while (c && n <= cycle->connection_n) {
            ngx_free_connection[c] = 1;
            n++;
            c = (ngx_connection_t *)c->data;
        }
    } _catch (_fault f) {
        ngx_skipped++;
    }
    if (!ngx_quiet)
        _assert_equal("free connections", n, cycle->free_connection_n);
    else if (n != cycle->free_connection_n)
        ngx_skipped++;
}

/// Notes the pools that a cycle, its connections and their requests own.
void ngx_own_cycle(ngx_cycle_t *cycle, int kind)
{
    ngx_own_pool(cycle->pool, kind, "");
    if (!cycle->connections)
        return;
    if (cycle->connection_n > NGX_MOST_CONNECTIONS || !_readable(cycle->connections, cycle->connection_n * sizeof(ngx_connection_t))) {
        ngx_skipped++;
        return;
    }
    ngx_learn_free_connections(cycle);
    for (uint64_t i = 0; i < cycle->connection_n; i++) {
        ngx_connection_t *c = &cycle->connections[i];
        if (ngx_free_connection[c])
            continue;
        _try {
            ngx_http_request_t *r = ngx_request_of(c);
            if (r)
                ngx_own_pool(r->pool, NGX_K_REQUEST, ngx_request_owner(r));
            if (c->pool)
                ngx_own_pool(c->pool, c->listening ? NGX_K_CONNECTION : NGX_K_UPSTREAM, ngx_connection_owner(c));
        } _catch (_fault f) {
            ngx_skipped++;
        }
    }
}

/// Whether the head of a pool lies at the beginning of a block of malloc. The end of the pool's first block is the end of malloc's, but for what malloc rounds up.
int ngx_pool_at(uint64_t block, uint64_t size, uint64_t slack)
{
    uint64_t end = ((uint64_t *)block)[1];
    if (end > block + size || end + slack < block + size || end < block + sizeof(ngx_pool_t))
        return 0;
    uint64_t last = ((uint64_t *)block)[0];
    if (last < block + sizeof(ngx_pool_t) || last > end)
        return 0;
    return ngx_valid_pool((ngx_pool_t *)block);
}

/// Takes a block that malloc has given out: a chunk as <glibc/heaps.y> gives it to `glibc_on_used` and `glibc_on_mapped`. A probe that wants pools defines
/// these and calls this.
void ngx_take_chunk(uint64_t p, int mapped)
{
    if (!mapped && chunksize((mchunkptr)p) < sizeof(ngx_pool_t))
        return;
    _try {
        uint64_t block = p + CHUNK_HDR_SZ;
        // malloc rounds up to its alignment, and leaves no remainder that is too small for a chunk; mapped chunks are whole pages.
        uint64_t slack = mapped ? ngx_page_bytes + CHUNK_HDR_SZ : 2 * MINSIZE;
        if (ngx_pool_at(block, memsize((mchunkptr)p), slack))
            _push(ngx_pool_found, (ngx_pool_t *)block);
    } _catch (_fault f) {
        ngx_skipped++;
    }
}

/// Looks through all blocks that malloc has given out for heads of pools.
void ngx_scan_pools(void)
{
    glibc_walk();
    // A later block of a pool can look like a head by what stands in it.
    _foreach (pool in ngx_pool_found) {
        _try {
            ngx_pool_t *block = pool->d.next;
            for (uint64_t i = 0; block && i < NGX_MOST_BLOCKS; i++) {
                ngx_pool_inner[block] = 1;
                block = block->d.next;
            }
        } _catch (_fault f) {
            ngx_skipped++;
        }
    }
    // Cycles that are over, but not yet destroyed: an old worker's, or one that connections of a single process keep. One that is made by a reload
    // knows the live one as its predecessor, until that is destroyed.
    ngx_cycle_t *live = ngx_live_cycle();
    _foreach (pool in ngx_pool_found) {
        _try {
            ngx_cycle_t *cycle = (ngx_cycle_t *)ngx_pool_first(pool);
            if (!ngx_pools[pool] && !ngx_pool_inner[pool] && cycle->pool == pool)
                ngx_own_cycle(cycle, live && cycle->old_cycle == live ? NGX_K_NEW_CYCLE : NGX_K_OLD_CYCLE);
        } _catch (_fault f) {
            ngx_skipped++;
        }
    }
    _foreach (pool in ngx_pool_found) {
        if (ngx_pools[pool])
            ngx_pools_confirmed++;
    }
}

/// Owners of a kind are what points into pools without an owner.
uint64_t ngx_lowest_pool, ngx_highest_pool;
/// Pools whose memory is still to be looked through for pointers to others.
ngx_pool_t *ngx_pool_work[];

/// Takes a word that may point to a pool without an owner.
#define ngx_maybe_pool(w) ((w) >= ngx_lowest_pool && (w) <= ngx_highest_pool && ngx_pools[(ngx_pool_t *)(w)] == NGX_K_UNOWNED)

/// The variable that lies at an address, or at least whose it is.
_str ngx_variable_name(uint64_t a)
{
    _str name = ngx_symbol(a);
    return name != "" ? name : "(" + ngx_module_at(a) + ")";
}

/// Gives what some memory points to an owner.
void ngx_own_from(uint64_t start, uint64_t end, int kind, _str owner)
{
    _try {
        for (uint64_t a = (start + 7) & ~7ul; a + 8 <= end; a += 8) {
            uint64_t w = *(uint64_t *)a;
            if (ngx_maybe_pool(w)) {
                ngx_pools[(ngx_pool_t *)w] = kind;
                ngx_pool_owner[(ngx_pool_t *)w] = owner == "" ? ngx_variable_name(a) : owner;
                _push(ngx_pool_work, (ngx_pool_t *)w);
            }
        }
    } _catch (_fault f) {
        // What cannot be read refers to nothing.
    }
}

/// Gives owners to what is referred to by the blocks of timers that are not those of connections, such as the timers of Lua.
void ngx_own_from_timers(void)
{
##ifdefvar ngx_event_timer_rbtree
    ngx_rbtree_node_t *work[];
    ngx_rbtree_t *tree = (ngx_rbtree_t *)&ngx_event_timer_rbtree;
    if (!tree->root)
        return;
    ngx_cycle_t *cycle = ngx_live_cycle();
    _push(work, tree->root);
    for (uint64_t i = 0; _elems(work) > 0 && i < NGX_MOST_CONNECTIONS; i++) {
        ngx_rbtree_node_t *node = _pop(work);
        if (node == tree->sentinel)
            continue;
        _try {
            _push(work, node->left);
            _push(work, node->right);
            ngx_event_t *ev = _container_of(node, ngx_event_t, timer);
            // Those of connections lie in arrays.
            if ((ev >= cycle->read_events && ev < cycle->read_events + cycle->connection_n) ||
                (ev >= cycle->write_events && ev < cycle->write_events + cycle->connection_n))
                continue;
            uint64_t usable = (uint64_t)ev & 15 ? 0 : ngx_usable(ev);
            if (usable < sizeof(ngx_event_t) || usable > ngx_page_bytes)
                continue;
            _str handler = ngx_symbol((uint64_t)ev->handler);
            if (handler == "")
                handler = "(timer of " + ngx_module_at((uint64_t)ev->handler) + ")";
            ngx_own_from((uint64_t)ev, (uint64_t)ev + usable, NGX_K_MODULE, handler);
        } _catch (_fault f) {
            ngx_skipped++;
        }
    }
##endif
}

/// Gives owners to what the pools of owners refer to, and so on.
void ngx_own_from_pool(ngx_pool_t *pool, uint64_t most)
{
    int kind = ngx_pools[pool];
    int own = kind == NGX_K_CYCLE || kind == NGX_K_OLD_CYCLE || kind == NGX_K_NEW_CYCLE ? NGX_K_MODULE : kind;
    _str owner = kind == NGX_K_CYCLE ? "(configuration)" : ngx_pool_owner[pool] == "" ? "(" + ngx_kind_name(kind) + ")" : ngx_pool_owner[pool];
    uint64_t left = most;
    ngx_pool_t *block = pool;
    for (uint64_t i = 0; block && i < NGX_MOST_BLOCKS && left > 0; i++) {
        uint64_t start = (uint64_t)block + (block == pool ? sizeof(ngx_pool_t) : sizeof(ngx_pool_data_t));
        uint64_t end = (uint64_t)block->d.last;
        if (end < start || end - start > left)
            break;
        left -= end - start;
        ngx_own_from(start, end, own, owner);
        block = block->d.next;
    }
    ngx_pool_large_t *large = pool->large;
    for (uint64_t i = 0; large && i < NGX_MOST_BLOCKS && left > 0; i++) {
        uint64_t usable = large->alloc ? ngx_usable(large->alloc) : 0;
        if (usable > left)
            break;
        left -= usable;
        ngx_own_from((uint64_t)large->alloc, (uint64_t)large->alloc + usable, own, owner);
        large = large->next;
    }
}

/// Finds owners for the pools that the scan has found and that none is known of. At most `most` bytes of each owner's pool are looked through.
void ngx_find_owners(uint64_t most)
{
    ngx_lowest_pool = ~0ul;
    ngx_highest_pool = 0;
    _foreach (pool in ngx_pool_found) {
        if (ngx_pools[pool] || ngx_pool_inner[pool])
            continue;
        int kind = NGX_K_UNOWNED;
        _try {
            // A request is the first object of its pool.
            ngx_http_request_t *r = (ngx_http_request_t *)ngx_pool_first(pool);
            if (_readable(r, sizeof(ngx_http_request_t)) && r->signature == NGX_SIGNATURE_HTTP && r->pool == pool) {
                kind = NGX_K_REQUEST;
                ngx_pool_owner[pool] = ngx_request_owner(r);
            }
        } _catch (_fault f) {
            ngx_skipped++;
        }
        ngx_pools[pool] = kind;
        if ((uint64_t)pool < ngx_lowest_pool)
            ngx_lowest_pool = (uint64_t)pool;
        if ((uint64_t)pool > ngx_highest_pool)
            ngx_highest_pool = (uint64_t)pool;
    }
    if (ngx_highest_pool == 0)
        return;
    _foreach (pool, kind in ngx_pools)
        if (kind != NGX_K_UNOWNED)
            _push(ngx_pool_work, pool);
    ngx_own_from_timers();
    // Variables of the program and of its libraries, with what is zeroed at their start.
    uint64_t file_end = 0;
    _foreach (m in _maps()) {
        int named = m.file != "" && !_isprefix(m.file, "[");
        if ((named || (m.file == "" && (uint64_t)m.start == file_end)) && m.perms ~~ rx/^rw.p/)
            ngx_own_from((uint64_t)m.start, (uint64_t)m.end, NGX_K_MODULE, "");
        if (named)
            file_end = (uint64_t)m.end;
    }
    while (_elems(ngx_pool_work) > 0) {
        ngx_pool_t *pool = _pop(ngx_pool_work);
        _try {
            ngx_own_from_pool(pool, most);
        } _catch (_fault f) {
            ngx_skipped++;
        }
    }
}

/// The module and the symbol that an address of code or data leads to; learned once for each address.
struct ngx_place {
    _str module;
    _str symbol;
};
struct ngx_place ngx_places[uint64_t];
/// Memory whose words can be code or data: the executable and the writable mappings of files, in order.
uint64_t ngx_place_start[], ngx_place_end[];

void ngx_learn_places(void)
{
    uint64_t file_end = 0;
    _foreach (m in _maps()) {
        int named = m.file != "" && !_isprefix(m.file, "[");
        if ((named && !(m.perms ~~ rx/s$/) && m.perms ~~ rx/x|w/) || (m.file == "" && (uint64_t)m.start == file_end)) {
            _push(ngx_place_start, (uint64_t)m.start);
            _push(ngx_place_end, (uint64_t)m.end);
        }
        if (named)
            file_end = (uint64_t)m.end;
    }
}

/// Whether a word is an address of code or of a variable.
int ngx_is_place(uint64_t w)
{
    long low = 0;
    long high = _elems(ngx_place_start);
    while (low < high) {
        long middle = (low + high) / 2;
        if (w < ngx_place_start[middle])
            high = middle;
        else if (w >= ngx_place_end[middle])
            low = middle + 1;
        else
            return 1;
    }
    return 0;
}

#define NGX_MOST_PLACES 100000

/// What most of the pointers in a pool lead to.
long ngx_votes[_str];
long ngx_symbol_votes[_str, _str];
long ngx_votes_all;

/// Counts where the pointers of some memory lead.
void ngx_vote(uint64_t start, uint64_t end)
{
    _try {
        for (uint64_t a = (start + 7) & ~7ul; a + 8 <= end; a += 8) {
            uint64_t w = *(uint64_t *)a;
            if (w < 0x10000 || w >> 47 || !ngx_is_place(w))
                continue;
            if (!(w in ngx_places)) {
                if (_elems(ngx_places) >= NGX_MOST_PLACES)
                    continue;
                struct ngx_place p;
                p.module = ngx_module_at(w);
                p.symbol = ngx_symbol(w);
                ngx_places[w] = p;
            }
            if (ngx_places[w].module == "")
                continue;
            ngx_votes[ngx_places[w].module]++;
            ngx_symbol_votes[ngx_places[w].module, ngx_places[w].symbol]++;
            ngx_votes_all++;
        }
    } _catch (_fault f) {
        // What cannot be read does not vote.
    }
}

/// Who a pool seems to belong to.
struct ngx_guess {
    _str module; // "" if no pointer in it tells
    _str symbol;
    int percent; // of the pointers to code and variables
};

/// Guesses by at most `most` bytes of the pool's blocks and of its large blocks each.
struct ngx_guess ngx_guess_module(ngx_pool_t *pool, uint64_t most)
{
    struct ngx_guess guess;
    _clear(ngx_votes);
    _clear(ngx_symbol_votes);
    ngx_votes_all = 0;
    _try {
        uint64_t left = most;
        ngx_pool_t *block = pool;
        for (int i = 0; block && left > 0 && i < 1000; i++) {
            uint64_t start = (uint64_t)block + (block == pool ? sizeof(ngx_pool_t) : sizeof(ngx_pool_data_t));
            uint64_t end = (uint64_t)block->d.last;
            if (end < start)
                break;
            if (end - start > left)
                end = start + left;
            left -= end - start;
            ngx_vote(start, end);
            block = block->d.next;
        }
        left = most;
        ngx_pool_large_t *large = pool->large;
        for (int i = 0; large && left > 0 && i < 1000; i++) {
            uint64_t usable = large->alloc ? ngx_usable(large->alloc) : 0;
            if (usable > left)
                usable = left;
            left -= usable;
            ngx_vote((uint64_t)large->alloc, (uint64_t)large->alloc + usable);
            large = large->next;
        }
    } _catch (_fault f) {
        // It votes with what could be read.
    }
    // What all modules share says little as long as something else is there.
    _foreach (module, n in ngx_votes _by n _desc) {
        if (guess.module == "" || guess.module == "nginx") {
            guess.module = module;
            guess.percent = 100 * n / ngx_votes_all;
        }
        if (guess.module != "nginx")
            break;
    }
    long most_votes = 0;
    _foreach ((module, symbol), n in ngx_symbol_votes) {
        if (module == guess.module && symbol != "" && n > most_votes && !_issuffix(symbol, "_module")) {
            guess.symbol = symbol;
            most_votes = n;
        }
    }
    return guess;
}

/// The function that created a pool, where nginx notes it (Tengine built with its debug pool); else "".
_str ngx_pool_creator(ngx_pool_t *pool)
{
##ifdeffield ngx_pool_t stat
    _try {
        if (pool->stat && pool->stat->func)
            return _tostr((char *)pool->stat->func);
    } _catch (_fault f) {
        // A pool that was damaged.
    }
##endif
    return "";
}

/// The cleanup handlers of a pool, in their order of use, at most three; "" for none.
_str ngx_cleanup_names(ngx_pool_t *pool)
{
    _str names = "";
    _try {
        ngx_pool_cleanup_t *c = pool->cleanup;
        int shown = 0;
        for (int i = 0; c && i < 100000 && shown < 3; i++) {
            _str name = c->handler ? ngx_symbol((uint64_t)c->handler) : "";
            if (name != "" && !_contains(names, name)) {
                names = names + (names == "" ? "" : ", ") + name;
                shown++;
            }
            c = c->next;
        }
    } _catch (_fault f) {
        // What could be read is given.
    }
    return names;
}

#endif
