/// nginx's own macros, so that code pasted from its sources runs.

#ifndef NGINX_C_Y
#define NGINX_C_Y

#define NGX_OK 0
#define NGX_ERROR -1
#define NGX_ALIGNMENT sizeof(unsigned long)

#define ngx_align(d, a) (((d) + ((a) - 1)) & ~((a) - 1))
#define ngx_align_ptr(p, a) ((u_char *)(((uintptr_t)(p) + ((uintptr_t)(a) - 1)) & ~((uintptr_t)(a) - 1)))

#define ngx_queue_empty(h) ((h) == (h)->prev)
#define ngx_queue_head(h) ((h)->next)
#define ngx_queue_last(h) ((h)->prev)
#define ngx_queue_sentinel(h) (h)
#define ngx_queue_next(q) ((q)->next)
#define ngx_queue_prev(q) ((q)->prev)
#define ngx_queue_data(q, type, link) ((type *)((u_char *)(q) - (uintptr_t)&((type *)0)->link))

#define ngx_http_get_module_main_conf(r, module) ((r)->main_conf[module.ctx_index])
#define ngx_http_get_module_srv_conf(r, module) ((r)->srv_conf[module.ctx_index])
#define ngx_http_get_module_loc_conf(r, module) ((r)->loc_conf[module.ctx_index])
#define ngx_http_get_module_ctx(r, module) ((r)->ctx[module.ctx_index])
#define ngx_get_conf(conf_ctx, module) ((conf_ctx)[module.index])

#endif
