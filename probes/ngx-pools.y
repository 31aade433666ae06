#!/usr/bin/env -S ytrace run
/// The memory pools of an nginx process by who owns them, and those that nobody owns any more.
///
/// A pool that no cycle, connection, request or variable of a module leads to is UNOWNED: most likely it was created and never destroyed. Its
/// module is the one that most of the pointers in it lead to. Sizes are those of malloc's blocks; `used` and `unused` are of the pools' own blocks.

#include <nginx/pools.y>

_option int most = 10;           /// how many kinds of unowned pools, and how many of the biggest pools, are shown
_option long sample = 16384;     /// bytes of an unowned pool that are looked through for pointers
_option long search = 268435456; /// bytes of an owner's pool that are looked through for pointers to pools

struct pool_row {
    _str kind;
    long pools;
    long used_bytes;
    long unused_bytes;
    long large;
    long large_bytes;
    long total_bytes;
};

struct owner_row {
    _str owner;
    _str kind;
    long pools;
    long total_bytes;
};

struct pool_group {
    _str module;
    int percent; // of the pointers in the pools, on average
    _str symbol;
    _str cleanup;
    long pools;
    long total_bytes;
    long largest_bytes;
    void *address; // of the largest
};

struct pool_line {
    _str kind;
    _str owner;
    void *address;
    long total_bytes;
};

_view table "Pools by kind" "" struct pool_row kinds[];
_view table "UNOWNED pools by the module that most of the pointers in them lead to" "" struct pool_group unowned[];
_view table "Owned pools by owner" "" struct owner_row owners[];
_view table "The biggest pools" "" struct pool_line biggest[];

struct pool_row by_kind[int];
struct owner_row by_owner[int, _str];
/// Unowned pools that seem to belong to the same: one line.
struct pool_group groups[_str, _str, _str];
uint64_t pool_total[ngx_pool_t *];

void add_pool(ngx_pool_t *pool, int kind)
{
    struct ngx_pool_size s = ngx_measure_pool(pool);
    ngx_skipped += s.cut;
    pool_total[pool] = s.total;
    by_kind[kind].pools++;
    by_kind[kind].used_bytes += s.used;
    by_kind[kind].unused_bytes += s.unused;
    by_kind[kind].large += s.large;
    by_kind[kind].large_bytes += s.large_bytes;
    by_kind[kind].total_bytes += s.total;
    if (kind == NGX_K_UNOWNED) {
        struct ngx_guess guess = ngx_guess_module(pool, sample);
        // Where the creator is known, nothing need be guessed.
        _str creator = ngx_pool_creator(pool);
        if (creator != "") {
            guess.module = ngx_module_of_symbol(creator);
            guess.symbol = creator;
            guess.percent = 100;
        }
        _str module = guess.module == "" ? "(no pointers)" : guess.module;
        _str handlers = ngx_cleanup_names(pool);
        struct pool_group g = groups[module, guess.symbol, handlers];
        g.module = module;
        g.symbol = guess.symbol;
        g.cleanup = handlers;
        g.percent = (g.percent * g.pools + guess.percent) / (g.pools + 1);
        g.pools++;
        g.total_bytes += s.total;
        if (s.total > g.largest_bytes) {
            g.largest_bytes = s.total;
            g.address = pool;
        }
        groups[module, guess.symbol, handlers] = g;
    } else {
        _str owner = ngx_pool_owner[pool];
        if (owner == "")
            owner = ngx_pool_creator(pool);
        by_owner[kind, owner].owner = owner == "" ? ngx_cleanup_names(pool) : owner;
        by_owner[kind, owner].kind = ngx_kind_name(kind);
        by_owner[kind, owner].pools++;
        by_owner[kind, owner].total_bytes += s.total;
    }
}

void glibc_on_used(uint64_t p, uint64_t size) { ngx_take_chunk(p, 0); }
void glibc_on_mapped(uint64_t p, uint64_t size) { ngx_take_chunk(p, 1); }

_probe _oneshot {
    ngx_cycle_t *cycle = ngx_require_cycle();
    ngx_learn_modules(cycle);
    ngx_learn_places();
    ngx_own_cycle(cycle, NGX_K_CYCLE);
    ngx_scan_pools();
    ngx_find_owners(search);

    _foreach (pool, kind in ngx_pools)
        add_pool(pool, kind);
    uint64_t total = 0;
    for (int kind = 1; kind < NGX_KINDS; kind++) {
        if (by_kind[kind].pools == 0)
            continue;
        by_kind[kind].kind = ngx_kind_name(kind);
        _push(kinds, by_kind[kind]);
        total += by_kind[kind].total_bytes;
    }
    _foreach ((kind, owner), row in by_owner _by row.total_bytes _desc _limit most)
        _push(owners, row);
    _foreach ((module, symbol, handlers), g in groups _by g.total_bytes _desc _limit most)
        _push(unowned, g);
    _foreach (pool, bytes in pool_total _by bytes _desc _limit most)
        _push(biggest, (struct pool_line){ ngx_kind_name(ngx_pools[pool]), ngx_pool_owner[pool], pool, (long)bytes });

    long given_out = glibc_all.used + glibc_blocks_bytes;
    printf("nginx %s   pools %hB in %ld = %.1f %% of %hB that malloc has given out\n", ngx_version_text(cycle), total, _count(ngx_pools),
           glibc_percent(total, given_out), given_out);
    if (by_kind[NGX_K_UNOWNED].pools > 0) {
        _foreach ((module, symbol, handlers), g in groups _by g.total_bytes _desc _limit 1)
            printf("UNOWNED %hB in %ld pools; most: %s%s%s by %d %% of pointers, %ld pools of %hB, e.g. %p\n", by_kind[NGX_K_UNOWNED].total_bytes,
                   by_kind[NGX_K_UNOWNED].pools, module, symbol == "" ? "" : " ", symbol == "" ? "" : "(" + symbol + ")", g.percent, g.pools, g.total_bytes,
                   g.address);
    } else {
        printf("no pool without an owner\n");
    }
    if (ngx_skipped > 0) {
        printf("skipped %ld: parts of pools or connections that make no sense\n", ngx_skipped);
        _assert_equal("skipped", ngx_skipped, 0);
    }
    _assert_equal("owned pools that the scan finds, too", ngx_pools_confirmed, ngx_pools_owned);
    glibc_check();
    if (by_kind[NGX_K_UNOWNED].total_bytes * 2 < total)
        printf("next: ytrace run probes/ngx-conns.y %s\n", _target_words());
    else
        printf("next: ytrace run probes/glibc-chunks.y %s\n", _target_words());
}
