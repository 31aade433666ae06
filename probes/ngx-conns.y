#!/usr/bin/env -S ytrace run
/// The connections and requests of an nginx process: their memory, age, state and host.
///
/// Memory is that of the pools of a connection and of its request, as malloc counts it. A connection of HTTP/2 has the pools of all its streams, each of which
/// is a request; where there is one, malloc's blocks are looked through for them. URIs are data of clients, and are shown only with `--show-uris`.

#include <nginx/streams.y>

_option int most = 20;           /// how many connections are shown, those with the most memory first
_option _Bool show_uris = false; /// show the URIs of requests, which may hold data of clients

struct conn_row {
    int fd;
    _str kind;
    _str state;
    _str age;
    long requests;
    long streams; // of HTTP/2, unfinished
    long stream_bytes;
    long memory_bytes;
    _str host;
    _str uri;
};

struct state_row {
    _str kind;
    _str state;
    long connections;
    long memory_bytes;
    _str oldest;
};

struct host_row {
    _str host;
    long requests;
    long memory_bytes;
};

_view table "By state" "" struct state_row states[];
_view table "Requests by host" "" struct host_row hosts[];
_view table "Connections with the most memory" "" struct conn_row connections[];

struct state_row by_state[_str, _str];
long oldest[_str, _str];
struct host_row by_host[_str];

void glibc_on_used(uint64_t p, uint64_t size) { ngx_take_chunk(p, 0); }
void glibc_on_mapped(uint64_t p, uint64_t size) { ngx_take_chunk(p, 1); }

/// Counts a request for its host.
_str add_to_host(ngx_http_request_t *r, long bytes)
{
    _str host = "";
##ifdeffield ngx_http_request_t headers_in
    host = text_of(r->headers_in.server, 200);
    by_host[host].host = host == "" ? "(none yet)" : host;
    by_host[host].requests++;
    by_host[host].memory_bytes += bytes;
##endif
    return host;
}

/// Text of the target, cut where it is too long to be a name.
_str text_of(ngx_str_t s, uint64_t limit)
{
    if (s.len == 0 || !s.data)
        return "";
    return _tostr((char *)s.data, s.len < limit ? s.len : limit) + (s.len > limit ? "…" : "");
}

/// A duration in milliseconds, for people; nothing for one that is not known.
_str span(long ms)
{
    return ms < 0 ? "" : sprintf("%hT", ms * 1000000);
}

/// What a request is doing.
_str request_state(ngx_http_request_t *r)
{
##ifdeffield ngx_http_request_t http_state
    switch (r->http_state) {
    case 0:
    case 1: return "reading request";
    case 6: return "sending";
    case 7: return "lingering";
    case 8: return "idle";
    }
##endif
    if (r->upstream)
        return "waiting for upstream";
##ifdeffield ngx_http_request_t header_sent
    if (r->header_sent)
        return "sending";
##endif
    return "processing";
}

_probe _oneshot {
    ngx_cycle_t *cycle = ngx_require_cycle();
    ngx_learn_modules(cycle);
    ngx_learn_clocks();
    ngx_learn_free_connections(cycle);
    // Checks glibc's types: sizes are those of its chunks.
    glibc_attach();
    long in_use = 0, requests = 0, memory = 0;
    for (uint64_t i = 0; cycle->connections && i < cycle->connection_n; i++)
        if (!ngx_free_connection[&cycle->connections[i]])
            ngx_take_h2(&cycle->connections[i]);
    ngx_find_streams(cycle);
    _foreach (s in ngx_streams) {
        requests++;
        _try {
            add_to_host(s.request, s.bytes);
        } _catch (_fault f) {
            ngx_skipped++;
        }
    }
    for (uint64_t i = 0; cycle->connections && i < cycle->connection_n; i++) {
        ngx_connection_t *c = &cycle->connections[i];
        if (ngx_free_connection[c])
            continue;
        in_use++;
        _try {
            struct conn_row row;
            row.fd = c->fd;
            long age = -1;
            // The channel to the master borrows the cycle's pool.
            ngx_pool_t *pool = c->pool == cycle->pool ? NULL : c->pool;
##ifdeffield ngx_connection_t start_time
            if (pool && ngx_timer_ms >= (long)c->start_time)
                age = ngx_timer_ms - (long)c->start_time;
##endif
##ifdeffield ngx_connection_t requests
            row.requests = c->requests;
##endif
            row.kind = !pool ? c->listening ? "listening" : "internal" : c->listening ? "client" : c->fd < 0 ? "timer" : "upstream";
            row.state = !pool ? "" : "open";
##ifdeffield ngx_connection_t idle
            if (c->idle)
                row.state = "idle";
##endif
            if (pool && ngx_valid_pool(pool))
                row.memory_bytes = ngx_measure_pool(pool).total;
            if (c in ngx_h2) {
                row.streams = ngx_stream_count[c];
                row.stream_bytes = ngx_stream_bytes[c];
                row.memory_bytes += ngx_stream_bytes[c] + ngx_h2_bytes[c];
                row.state = row.streams ? "HTTP/2 with streams" : "HTTP/2, idle";
            }
            ngx_http_request_t *r = ngx_request_of(c);
            if (r && pool) {
                requests++;
                row.state = request_state(r);
                if (r->pool != pool && ngx_valid_pool(r->pool))
                    row.memory_bytes += ngx_measure_pool(r->pool).total;
##ifdeffield ngx_http_request_t start_sec
                if (r->start_sec > 0)
                    age = ngx_wall_ms - (r->start_sec * 1000 + (long)r->start_msec);
##endif
                row.host = add_to_host(r, row.memory_bytes);
##ifdeffield ngx_http_request_t unparsed_uri
                if (show_uris)
                    row.uri = text_of(r->unparsed_uri, 400);
##endif
            }
            row.age = span(age);
            memory += row.memory_bytes;
            by_state[row.kind, row.state].kind = row.kind;
            by_state[row.kind, row.state].state = row.state;
            by_state[row.kind, row.state].connections++;
            by_state[row.kind, row.state].memory_bytes += row.memory_bytes;
            if (age >= 0 && age >= oldest[row.kind, row.state])
                oldest[row.kind, row.state] = age;
            _push(connections, row);
        } _catch (_fault f) {
            ngx_skipped++;
        }
    }
    _foreach ((kind, state), row in by_state _by row.memory_bytes _desc) {
        struct state_row out = row;
        out.oldest = (kind, state) in oldest && row.memory_bytes > 0 ? span(oldest[kind, state]) : "";
        _push(states, out);
    }
    _foreach (host, row in by_host _by row.memory_bytes _desc _limit most)
        _push(hosts, row);
    _sort(connections _by x.memory_bytes _desc);
    while (_elems(connections) > (most < 0 ? 0 : most))
        _pop(connections);

    printf("nginx %s   %ld of %lu connections in use, %ld request%s; their pools hold %hB\n", ngx_version_text(cycle), in_use, cycle->connection_n,
           requests, requests == 1 ? "" : "s", memory);
    if (_elems(ngx_h2) > 0)
        printf("HTTP/2: connections %ld, streams %ld, whose pools hold %hB\n", _elems(ngx_h2), _elems(ngx_streams), _sum(ngx_stream_bytes));
##ifndeffield ngx_http_request_t headers_in
    printf("! hosts and ages of requests are not known: this nginx has no debug information; give its types (`ytrace types extract`, --types FILE)\n");
##endif
    if (!show_uris && requests > 0)
        printf("URIs are shown with `-- --show-uris`\n");
    _assert_equal("connections in use", in_use, cycle->connection_n - cycle->free_connection_n);
    if (ngx_skipped > 0) {
        printf("skipped %ld: connections or pools that make no sense\n", ngx_skipped);
        _assert_equal("skipped", ngx_skipped, 0);
    }
}
