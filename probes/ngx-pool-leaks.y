#!/usr/bin/env -S ytrace run
/// Which call paths of nginx make pools that are not destroyed, and what these hold; with `--inside` also which paths allocate in pools that live long, such as the
/// cycle's or that of a connection that never ends.
///
/// Pools are made and destroyed a few times in a request, which is all that is probed; what they hold is read from the pools that are left at the end. `--inside`
/// follows each allocation in a pool: `--every 64K` takes a sample of them. Only what happens while this runs is seen; ngx-pools shows all pools that are
/// there.

#include <nginx/made.y>
#include <linux/allocations.y>

#ifdef __YTRACE_DUTY__
#error "pools made in one window are destroyed in another: leave out --duty"
#endif

#ifdef __YTRACE_CHILDREN__
#error "pools of different processes have the same addresses: leave out --children, and run this on one process"
#endif

_max_overhead 5;

_option double age = 0;   /// show pools that are older than so many seconds
_option _Bool inside;     /// follow what is allocated in pools, too, and show what lies in pools that are there
_option size_t every = 1; /// with --inside: follow one allocation in so many bytes; 1 follows each
_option int period = 60;  /// growth is that of the last so many seconds
_option int rows = 20;    /// how many paths are listed, those that hold most first

struct left {
    long bytes, pools;
    long created, destroyed; /// pools
};
_view flamegraph "Pools made and not destroyed" "bytes"
struct left paths[_path];

struct held_row {
    _str made_by;
    long pools, bytes;
    long blocks, block_bytes, larges, large_bytes;
    long growth; /// pools a minute, over the last interval
    long mean_age_ns, max_age_ns;
};
_view table "What they hold" "bytes"
struct held_row held[];

_view flamegraph "Allocated in pools that are there" "bytes"
struct ngx_taking taking[_path];

long looked, cut;
long number[_path], before[_path];
long growth[_path];

_probe _begin {
    ngx_require_cycle();
    if (period <= 0)
        _error("--period is a number of seconds above 0");
}

##ifdeffunc ngx_create_pool
_probe ngx_create_pool(size_t size) -> ngx_pool_t *pool {
    if (!pool)
        return;
    _path made = _ubt(), by = paths_bounded(made, made in paths, _elems(paths));
    ngx_made(pool, by);
    paths[by].created++;
    number[by]++;
}

_probe ngx_destroy_pool(ngx_pool_t *pool) {
    if (pool in ngx_making) {
        _path by = ngx_making[pool].by;
        paths[by].destroyed++;
        number[by]--;
    }
    ngx_unmade(pool);
    if (inside)
        ngx_emptied(pool, taking);
}

_probe ngx_reset_pool(ngx_pool_t *pool) _if (inside) {
    ngx_emptied(pool, taking);
}

#define TAKEN(n)                           \
    long weight = _every(every, (n) ?: 1); \
    if (!weight)                           \
        return;                            \
    if (p)                                 \
        ngx_took(pool, p, n, weight, n > pool->max, _ubt(), taking)

_probe ngx_palloc(ngx_pool_t *pool, size_t n) -> void *p _if (inside) {
    TAKEN(n);
}

_probe ngx_pnalloc(ngx_pool_t *pool, size_t n) -> void *p _if (inside) {
    TAKEN(n);
}

_probe ngx_pcalloc(ngx_pool_t *pool, size_t n) -> void *p _if (inside && every <= 1) {
    TAKEN(n);
}

_probe ngx_pmemalign(ngx_pool_t *pool, size_t n) -> void *p _if (inside) {
    long weight = _every(every, n ? : 1);
    if (!weight)
        return;
    if (p)
        ngx_took(pool, p, n, weight, 1, _ubt(), taking);
}

_probe ngx_pfree(ngx_pool_t *pool, void *p) _if (inside) {
    if (p in ngx_larges)
        ngx_gave_back(pool, p, taking);
}
##endif

void look_at_growth(void)
{
    double minutes = (_watched_ns() - looked) / 6e10;
    if (minutes <= 0)
        return;
    looked = _watched_ns();
    _foreach (by, pools in number) {
        growth[by] = (pools - before[by]) / minutes;
        before[by] = pools;
    }
}

_probe _timer.s(period) {
    look_at_growth();
}

_probe _end {
    if (looked == 0 || _watched_ns() - looked >= period * 500000000l)
        look_at_growth();
    long now = _now_ns();
    struct held_row all[_path];
    _foreach (pool, making in ngx_making) {
        _path by = making.by;
        if (now - making.time < age * 1000000000)
            continue;
        struct ngx_holding holding = ngx_holds(pool);
        cut += holding.cut;
        paths[by].pools++;
        paths[by].bytes += holding.block_bytes + holding.large_bytes;
        all[by].pools++;
        all[by].bytes += holding.block_bytes + holding.large_bytes;
        all[by].blocks += holding.blocks;
        all[by].block_bytes += holding.block_bytes;
        all[by].larges += holding.larges;
        all[by].large_bytes += holding.large_bytes;
        all[by].mean_age_ns += (now - making.time - all[by].mean_age_ns) / all[by].pools;
        if (now - making.time > all[by].max_age_ns)
            all[by].max_age_ns = now - making.time;
    }
    _foreach (by, row in all _by row.bytes _desc _limit rows) {
        row.made_by = allocations_text(by, 1);
        row.growth = growth[by];
        _push(held, row);
    }
    printf("%ld pools made in %ld s, %ld of them destroyed; %ld are left and hold %hB\n", _sum(paths.created), _watched_ns() / 1000000000,
           _sum(paths.destroyed), _sum(paths.pools), _sum(paths.bytes));
    if (ngx_unmade_unseen)
        printf("%ld pools that had been there before were destroyed\n", ngx_unmade_unseen);
    if (inside && every > 1)
        printf("what lies in pools is estimated from a sample of one allocation in %hB\n", every);
    puts("pools that were there before this began are not covered: ngx-pools shows them");
    if (cut)
        _warn("%ld pools could not be walked to their ends", cut);
}
