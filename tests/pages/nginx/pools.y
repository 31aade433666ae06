/// The pool of the cycle and those of the connections: blocks, large allocations, cleanup handlers, buffers.
#include <nginx/c.y>

static size_t
pool_size(ngx_pool_t *pool)
{
    u_char            *start;
    size_t             size = 0;
    ngx_pool_t        *p, *n;
    ngx_pool_large_t  *l;

    for (l = pool->large; l; l = l->next) {
        if (l->alloc) {
            size++;
        }
    }

    for (p = pool, n = pool->d.next; /* void */; p = n, n = n->d.next) {
        start = (u_char *) p + (p == pool ? sizeof(ngx_pool_t) : sizeof(ngx_pool_data_t));

        if (p->d.last < start || p->d.last > p->d.end)
            _error("a pool that ends before it starts");

        size += p->d.last - start;

        if (n == NULL) {
            break;
        }
    }

    return ngx_max(size, NGX_MIN_POOL_SIZE);
}

static off_t
chain_size(ngx_chain_t *in)
{
    off_t         size;
    ngx_chain_t  *cl;

    size = 0;

    for (cl = in; cl; cl = cl->next) {
        if (ngx_buf_special(cl->buf)) {
            continue;
        }
        size += ngx_buf_size(cl->buf);
    }

    return size;
}

_probe _oneshot {
    ngx_int_t            i;
    size_t               total;
    ngx_connection_t    *c;
    ngx_pool_cleanup_t  *cln;
    ngx_http_request_t  *r;

    total = pool_size(ngx_cycle->pool);

    for (cln = ngx_cycle->pool->cleanup, i = 0; cln; cln = cln->next) {
        i++;
    }

    printf("cycle %s, %s\n", total > 100000 ? "large" : "small", i > 0 ? "cleaned" : "not cleaned");

    c = ngx_cycle->connections;
    for (i = 0; i < (ngx_int_t) ngx_cycle->connection_n; i++) {
        if (c[i].fd == (ngx_socket_t) -1 || c[i].pool == NULL || c[i].listening == NULL) {
            continue;
        }
        total += pool_size(c[i].pool);
        r = c[i].data;
        if (r->signature == NGX_HTTP_MODULE)
            total += chain_size(r->out);
    }

    printf("connections %lu\n", ngx_cycle->connection_n);
}
