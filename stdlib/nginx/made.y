/// Pools of an nginx that were made while somebody looked: who made each, and what it holds.
///
/// A probe calls `ngx_made` at the return of `ngx_create_pool` and `ngx_unmade` at the entry of `ngx_destroy_pool`. `ngx_holds` reads what a pool has; `ngx_took`
/// and its like follow what is allocated in pools.

#ifndef NGINX_MADE_Y
#define NGINX_MADE_Y

#include <nginx/cycle.y>
#include <glibc/block.y>
#include <linux/paths.y>
#include <linux/sample.y>

/// A pool that was made and has not been destroyed.
struct ngx_making {
    _path by;
    long time; /// when, in nanoseconds
};
struct ngx_making ngx_making[ngx_pool_t *];
/// Pools that were destroyed, and not seen being made.
long ngx_unmade_unseen;

/// What a pool holds.
struct ngx_holding {
    long blocks, block_bytes; /// its own, heads included
    long larges, large_bytes; /// large ones, with the room that the allocator gave them
    long cut;                 /// parts that could not be walked
};

/// No more blocks of a pool are walked.
#define NGX_MOST_HELD 20000000

/// What a pool holds now. Where it is no pool any more, `cut` is not 0, and nothing else is told.
struct ngx_holding ngx_holds(ngx_pool_t *pool)
{
    struct ngx_holding held, nothing;
    nothing.cut = 1;
    _try {
        ngx_pool_t *block = pool;
        for (long i = 0; block; i++) {
            uint64_t start = (uint64_t)block, last = (uint64_t)block->d.last, end = (uint64_t)block->d.end;
            if (i >= NGX_MOST_HELD) {
                held.cut++;
                break;
            }
            // What was destroyed since holds whatever came to lie there.
            if (last < start || end < last || !_readable(block, end - start))
                return nothing;
            held.blocks++;
            held.block_bytes += end - start;
            block = block->d.next;
        }
        ngx_pool_large_t *large = pool->large;
        for (long i = 0; large; i++) {
            if (i >= NGX_MOST_HELD) {
                held.cut++;
                break;
            }
            if (large->alloc) {
                size_t size = glibc_usable(large->alloc);
                if (!_readable(large->alloc, size))
                    return nothing;
                held.larges++;
                held.large_bytes += size;
            }
            large = large->next;
        }
    } _catch (_fault f) {
        return nothing;
    }
    return held;
}

/// A pool has been made.
void ngx_made(ngx_pool_t *pool, _path by)
{
    ngx_making[pool].by = by;
    ngx_making[pool].time = _now_ns();
}

/// What is allocated in pools, by the path that allocates.
struct ngx_taking {
    long bytes;       /// in pools that are there
    long allocations; /// of these
    long all_bytes;   /// in all pools
};

/// Of each pool, what the paths have allocated in it, and what was given back by itself.
long ngx_taken[ngx_pool_t *][_path];
long ngx_times[ngx_pool_t *][_path];

/// A large block, which can be given back by itself.
struct ngx_large {
    _path by;
    long weight, times;
};
struct ngx_large ngx_larges[ngx_pool_t *][void *];

/// What a thread was given last: one function calls another, and the outer one is meant.
struct ngx_last {
    ngx_pool_t *pool;
    void *p;
    _path by;
    long weight, times;
};
struct ngx_last ngx_last[long];

/// A path has taken so many bytes more of a pool, or less.
void ngx_take(ngx_pool_t *pool, _path by, long weight, long times, struct ngx_taking paths[_path])
{
    ngx_taken[pool][by] += weight;
    ngx_times[pool][by] += times;
    paths[by].bytes += weight;
    paths[by].allocations += times;
}

/// A pool has given a block of n bytes, which stands for `weight`.
void ngx_took(ngx_pool_t *pool, void *p, long n, long weight, _Bool large, _path by, struct ngx_taking paths[_path])
{
    long times = sample_count((unsigned long)p ^ _now_ns(), n, weight);
    if (n <= 0)
        weight = 0;
    long tid = _tid();
    struct ngx_last last = ngx_last[tid];
    if (last.p == p && last.pool == pool) {
        ngx_take(pool, last.by, -last.weight, -last.times, paths);
        paths[last.by].all_bytes -= last.weight;
    }
    by = paths_bounded(by, by in paths, _elems(paths));
    ngx_take(pool, by, weight, times, paths);
    paths[by].all_bytes += weight;
    ngx_last[tid] = (struct ngx_last){ pool, p, by, weight, times };
    if (large)
        ngx_larges[pool][p] = (struct ngx_large){ by, weight, times };
}

/// A large block has been given back by itself.
void ngx_gave_back(ngx_pool_t *pool, void *p, struct ngx_taking paths[_path])
{
    if (!(p in ngx_larges[pool]))
        return;
    struct ngx_large large = ngx_larges[pool][p];
    ngx_take(pool, large.by, -large.weight, -large.times, paths);
    _delete ngx_larges[pool][p];
    _delete ngx_last[_tid()];
}

/// A pool is empty again, or gone.
void ngx_emptied(ngx_pool_t *pool, struct ngx_taking paths[_path])
{
    _foreach (by, bytes in ngx_taken[pool]) {
        paths[by].bytes -= bytes;
        paths[by].allocations -= ngx_times[pool][by];
    }
    _delete ngx_taken[pool];
    _delete ngx_times[pool];
    // Their addresses are given out anew.
    _delete ngx_larges[pool];
    _clear(ngx_last);
}

/// A pool is destroyed.
void ngx_unmade(ngx_pool_t *pool)
{
    if (pool in ngx_making)
        _delete ngx_making[pool];
    else
        ngx_unmade_unseen++;
}

#endif
