/// The Lua machines of nginx: the first field of the Lua module's main configuration, reached from `ngx_cycle`.
/// Needs no types: a stripped nginx still exports `ngx_cycle` and every module's structure, and the fields on the way are the first ones of
/// structures that have not changed since nginx 1.9.11:
///   ngx_cycle_t { void ****conf_ctx; … }            ngx_module_t { ngx_uint_t ctx_index, index; … }
///   ngx_http_conf_ctx_t { void **main_conf; … }     ngx_http_lua_main_conf_t { lua_State *lua; … }

#ifndef NGINX_LUA_Y
#define NGINX_LUA_Y

#include <nginx/c.y>

/// The first field of the main configuration of a module of a subsystem (http, stream, …), or NULL.
/// `subsystem` and `module` are the addresses of their ngx_module_t structures.
void *ngx_module_main_conf_head(void *subsystem, void *module)
{
##ifdefvar ngx_cycle
    void **cycle = *(void ***)&ngx_cycle;
    if (!cycle)
        return NULL;
    void **conf_ctx = (void **)cycle[0];
    uint64_t index = ((uint64_t *)subsystem)[1];
    uint64_t ctx_index = ((uint64_t *)module)[0];
    // NGX_MODULE_UNSET_INDEX (all ones) until the configuration is loaded, and in a process that does not use the module.
    if (!conf_ctx || index >= 4096 || ctx_index >= 4096)
        return NULL;
    void **contexts = (void **)conf_ctx[index];
    if (!contexts)
        return NULL;
    void **main_conf = (void **)contexts[0];
    if (!main_conf)
        return NULL;
    void **conf = (void **)main_conf[ctx_index];
    return conf ? conf[0] : NULL;
##else
    return NULL;
##endif
}

/// Whether this nginx process is exiting, or was told to: a worker closes its Lua before it is gone.
int ngx_leaving(void)
{
##ifdefvar ngx_exiting
    _try {
        if (*(unsigned *)&ngx_exiting)
            return 1;
    } _catch (_fault f) {
        return 0;
    }
##endif
    int leaving = 0;
##ifdefvar ngx_terminate
    _try {
        // A sig_atomic_t.
        leaving = *(int *)&ngx_terminate != 0;
    } _catch (_fault f) {
        // Nothing is known of it.
    }
##endif
    return leaving;
}

/// The `lua_State *` of ngx_lua, or NULL.
void *ngx_http_lua_vm(void)
{
##ifdefvar ngx_http_lua_module
    _try {
        return ngx_module_main_conf_head((void *)&ngx_http_module, (void *)&ngx_http_lua_module);
    } _catch (_fault f) {
        _warn("nginx's http configuration cannot be read: %s", f.message);
    }
##endif
    return NULL;
}

/// The `lua_State *` of ngx_stream_lua, or NULL.
void *ngx_stream_lua_vm(void)
{
##ifdefvar ngx_stream_lua_module
    _try {
        return ngx_module_main_conf_head((void *)&ngx_stream_module, (void *)&ngx_stream_lua_module);
    } _catch (_fault f) {
        _warn("nginx's stream configuration cannot be read: %s", f.message);
    }
##endif
    return NULL;
}

#endif
