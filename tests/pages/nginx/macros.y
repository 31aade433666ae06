/// Every macro of the library that the other pages do not use, at least compiled.
#include <nginx/c.y>

#define S(x) sum += (long) (x);

static ngx_inline long ngx_cdecl
constants(long sum)
{
    S(NGX_OK) S(NGX_ERROR) S(NGX_AGAIN) S(NGX_BUSY) S(NGX_DONE) S(NGX_DECLINED) S(NGX_ABORT)
    S(NGX_ALIGNMENT) S(NGX_MAX_INT_T_VALUE) S(NGX_MAX_UINT32_VALUE) S(NGX_MAX_INT32_VALUE)
    S(NGX_DEFAULT_POOL_SIZE) S(NGX_POOL_ALIGNMENT) S(NGX_MAX_ALLOC_FROM_POOL)
    S(NGX_HASH_SMALL) S(NGX_HASH_LARGE) S(NGX_HASH_LARGE_ASIZE) S(NGX_HASH_LARGE_HSIZE) S(NGX_HASH_WILDCARD_KEY) S(NGX_HASH_READONLY_KEY)
    S(NGX_CHAIN_ERROR) S(NGX_SLAB_PAGE_MASK) S(NGX_SLAB_PAGE) S(NGX_SLAB_PAGE_FREE) S(NGX_SLAB_PAGE_BUSY) S(NGX_SLAB_PAGE_START)
    S(NGX_SLAB_SHIFT_MASK) S(NGX_SLAB_MAP_MASK) S(NGX_SLAB_MAP_SHIFT) S(NGX_SLAB_BUSY)
    S(NGX_MODULE_UNSET_INDEX) S(NGX_CORE_MODULE) S(NGX_CONF_MODULE) S(NGX_EVENT_MODULE) S(NGX_STREAM_MODULE) S(NGX_MAIL_MODULE)
    S(NGX_CONF_UNSET) S(NGX_CONF_UNSET_UINT) S(NGX_CONF_UNSET_PTR) S(NGX_CONF_UNSET_SIZE) S(NGX_CONF_UNSET_MSEC) S(NGX_CONF_ERROR)
    S(NGX_TIMER_INFINITE) S(NGX_TIMER_LAZY_DELAY) S(NGX_INVALID_INDEX)
    S(NGX_HTTP_MAIN_CONF_OFFSET) S(NGX_HTTP_SRV_CONF_OFFSET) S(NGX_HTTP_LOC_CONF_OFFSET)
    void *p = NGX_CONF_OK;
    return p == NULL ? sum : 0;
}

static long
strings(long sum)
{
    u_char *s = ngx_cycle->conf_file.data;
    struct { size_t len; u_char *data; } none = ngx_null_string;
    S(none.len)
    S(ngx_abs(-3)) S(ngx_min(2, 1)) S(ngx_align(5, 8)) S(ngx_toupper('a')) S(ngx_strcmp(s, "/")) S(ngx_memcmp(s, "/", 1)) S(ngx_strlen(s))
    S(ngx_base64_encoded_length(10)) S(ngx_base64_decoded_length(16)) S(ngx_hash(1, 'a'))
    S(strlen(ngx_value(NGX_POOL_ALIGNMENT))) S(strlen(ngx_value_helper(x)))
    S(ngx_time()) S(ngx_timeofday()->msec)
    return sum;
}

/// A name of the target's own text.
static long
literals(void)
{
    ngx_str_t name = ngx_string("Host");
    return name.len;
}

static long
http(ngx_http_request_t *r, ngx_conf_t *cf, ngx_stream_session_t *s, ngx_buf_t *b, ngx_hash_key_t *name, ngx_event_t *ev, long sum)
{
    S(ngx_http_get_module_ctx(r, ngx_http_core_module)) S(ngx_http_get_module_main_conf(r, ngx_http_core_module))
    S(ngx_http_get_module_srv_conf(r, ngx_http_core_module)) S(ngx_http_get_module_loc_conf(r, ngx_http_core_module))
    S(ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module)) S(ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module))
    S(ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module))
    S(ngx_stream_get_module_ctx(s, ngx_stream_core_module)) S(ngx_stream_get_module_main_conf(s, ngx_stream_core_module))
    S(ngx_stream_get_module_srv_conf(s, ngx_stream_core_module)) S(ngx_stream_cycle_get_module_main_conf(ngx_cycle, ngx_stream_core_module))
    S(ngx_buf_in_memory(b)) S(ngx_buf_in_memory_only(b)) S(ngx_buf_sync_only(b)) S(NGX_HASH_ELT_SIZE(name)) S(ngx_event_ident(ev->data))
    return sum;
}

_probe _oneshot {
    ngx_event_conf_t *ecf = ngx_event_get_conf(ngx_cycle->conf_ctx, ngx_event_core_module);
    ngx_core_conf_t *ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx, ngx_core_module);

    printf("%lu connections, %ld process%s\n", ecf->connections, ccf->worker_processes,
           ngx_rbt_is_black(ngx_event_timer_rbtree.sentinel) ? "" : "es");
    if (constants(0) == strings(0) + literals() || ngx_cycle == NULL)
        printf("%ld\n", http(NULL, NULL, NULL, NULL, NULL, NULL, 0));
}
