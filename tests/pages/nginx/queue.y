/// The open file cache of the first server's location for files: a queue, and a tree of the same files.
#include <nginx/c.y>

_probe _oneshot {
    ngx_uint_t                  n;
    ngx_queue_t                *q;
    ngx_open_file_cache_t      *cache;
    ngx_cached_open_file_t     *file;
    ngx_rbtree_node_t          *node;
    ngx_http_core_srv_conf_t  **cscfp;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_core_module);
    cscfp = cmcf->servers.elts;
    clcf = cscfp[0]->ctx->loc_conf[ngx_http_core_module.ctx_index];
    cache = clcf->open_file_cache;

    if (cache == NULL || ngx_queue_empty(&cache->expire_queue)) {
        printf("no files\n");
        _next();
    }

    for (q = ngx_queue_head(&cache->expire_queue), n = 0;
         q != ngx_queue_sentinel(&cache->expire_queue);
         q = ngx_queue_next(q))
    {
        file = ngx_queue_data(q, ngx_cached_open_file_t, queue);
        printf("%s %s\n", file->name, file->is_dir ? "directory" : file->err ? "error" : "file");
        n++;
    }

    for (node = ngx_rbtree_min(cache->rbtree.root, cache->rbtree.sentinel);
         node;
         node = ngx_rbtree_next(&cache->rbtree, node))
    {
        n--;
    }

    printf("%s %lu\n", n == 0 && ngx_queue_prev(ngx_queue_last(&cache->expire_queue)) ? "same" : "differ", cache->current);
}
