/// Requests that are streams of HTTP/2 connections, with their pools. No list leads to them that could be read without the types of the HTTP/2 module, which
/// stripped programs lack: so they are found among malloc's blocks, by the request that each request's pool begins with, and told apart by the connection that a
/// stream pretends to have, which is none of the cycle's but a copy of the real one.

#ifndef NGINX_STREAMS_Y
#define NGINX_STREAMS_Y

#include <nginx/pools.y>

/// A stream: its request, the connection that it came over, and what its pools hold, as malloc counts.
struct ngx_stream {
    ngx_http_request_t *request;
    ngx_connection_t *connection;
    uint64_t bytes;
};
struct ngx_stream ngx_streams[];

/// What the HTTP/2 module keeps for a connection, by the connection; and the number and bytes of its streams.
uint64_t ngx_h2[ngx_connection_t *];
long ngx_stream_count[ngx_connection_t *];
uint64_t ngx_stream_bytes[ngx_connection_t *];
/// The bytes of the pools that the module has for a connection itself: for frames, and for headers that are being read.
uint64_t ngx_h2_bytes[ngx_connection_t *];

/// Connections of HTTP/2 by their file descriptor, which streams copy.
ngx_connection_t *ngx_h2_by_fd[int];
/// Heads of pools that the scan has found; 2 for those that were counted.
uint8_t ngx_pool_state[ngx_pool_t *];

/// How much of what the module keeps for a connection or a stream is looked through for pools: both end before that, in all versions.
#define NGX_H2_CONNECTION_WORDS 96
#define NGX_H2_STREAM_WORDS 20
/// And how much of a request's pool for its stream.
#define NGX_H2_SEARCH (256ul << 10)

/// Whether a connection speaks HTTP/2: its data begin with the connection itself, and with what HTTP keeps for it. A request begins otherwise, and so does
/// a connection of HTTP/1 between requests.
int ngx_is_h2(ngx_connection_t *c)
{
    _try {
        uint64_t *data = (uint64_t *)c->data;
        if (!c->pool || !data || ((uint64_t)data & 7) || !_readable(data, 4 * sizeof(*data)) || data[0] != (uint64_t)c)
            return 0;
        return data[1] && (data[1] & 7) == 0 && _readable((void *)data[1], sizeof(uint64_t));
    } _catch (_fault f) {
        return 0;
    }
}

/// What some words lead to of pools that nobody has counted yet.
uint64_t ngx_pools_of_words(uint64_t start, uint64_t words)
{
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < words; i++) {
        ngx_pool_t *pool = *(ngx_pool_t **)(start + 8 * i);
        if (ngx_pool_state[pool] != 1)
            continue;
        ngx_pool_state[pool] = 2;
        bytes += ngx_measure_pool(pool).total;
    }
    return bytes;
}

/// The stream of a request, in the request's pool: it begins with the request and what the module keeps for the connection. 0 if it is not there.
uint64_t ngx_stream_of(ngx_http_request_t *r, uint64_t h2)
{
    uint64_t left = NGX_H2_SEARCH;
    ngx_pool_t *block = r->pool;
    for (int blocks = 0; block && left > 0 && blocks < 1000; blocks++) {
        uint64_t start = ((uint64_t)block + sizeof(ngx_pool_data_t) + 7) & ~7ul;
        uint64_t end = (uint64_t)block->d.last;
        for (uint64_t a = start; a + 16 <= end && left > 0; a += 8) {
            left -= 8;
            if (*(uint64_t *)a == (uint64_t)r && *(uint64_t *)(a + 8) == h2)
                return a + 8 * NGX_H2_STREAM_WORDS <= end ? a : 0;
        }
        block = block->d.next;
    }
    return 0;
}

/// Takes a connection of HTTP/2; gives whether it is one. Asked for all connections, before `ngx_find_streams`.
int ngx_take_h2(ngx_connection_t *c)
{
    if (!ngx_is_h2(c))
        return 0;
    ngx_h2[c] = (uint64_t)c->data;
    ngx_h2_by_fd[c->fd] = c;
    return 1;
}

/// Finds the streams of the connections that were taken. Looks through all blocks of malloc, if there is any such connection.
void ngx_find_streams(ngx_cycle_t *cycle)
{
    if (_elems(ngx_h2) == 0)
        return;
    ngx_scan_pools();
    _foreach (pool in ngx_pool_found)
        if (!ngx_pool_inner[pool])
            ngx_pool_state[pool] = 1;
    // What connections and requests have themselves is theirs.
    for (uint64_t i = 0; i < cycle->connection_n; i++) {
        ngx_connection_t *c = &cycle->connections[i];
        if (!ngx_free_connection[c])
            ngx_pool_state[c->pool] = 0;
    }
    _foreach (pool in ngx_pool_found) {
        if (ngx_pool_inner[pool])
            continue;
        _try {
            ngx_http_request_t *r = (ngx_http_request_t *)ngx_pool_first(pool);
            if (!_readable(r, sizeof(ngx_http_request_t)) || r->signature != NGX_SIGNATURE_HTTP || r->pool != pool)
                continue;
            ngx_pool_state[pool] = 0;
            ngx_connection_t *of = r->connection;
            if (of >= cycle->connections && of < cycle->connections + cycle->connection_n)
                continue;
            ngx_connection_t *c = ngx_h2_by_fd[of->fd];
            if (!c || c->pool != of->pool)
                continue;
            _push(ngx_streams, (struct ngx_stream){ r, c, ngx_measure_pool(pool).total });
        } _catch (_fault f) {
            ngx_skipped++;
        }
    }
    _foreach (i, s in ngx_streams) {
        _try {
            uint64_t stream = ngx_stream_of(s.request, ngx_h2[s.connection]);
            if (stream)
                ngx_streams[i].bytes += ngx_pools_of_words(stream, NGX_H2_STREAM_WORDS);
        } _catch (_fault f) {
            ngx_skipped++;
        }
        ngx_stream_count[s.connection]++;
        ngx_stream_bytes[s.connection] += ngx_streams[i].bytes;
    }
    _foreach (c, h2 in ngx_h2) {
        _try {
            ngx_h2_bytes[c] = ngx_pools_of_words(h2, NGX_H2_CONNECTION_WORDS);
        } _catch (_fault f) {
            ngx_skipped++;
        }
    }
}

#endif
