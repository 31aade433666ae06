/// The live configuration cycle of an nginx: whether it is where the types say, the modules and what belongs to them, and lists that end.
/// Types come from debug information, a types file, or <nginx/layouts.y>; a stripped nginx still exports `ngx_cycle` and its modules.

#ifndef NGINX_CYCLE_Y
#define NGINX_CYCLE_Y

#include <nginx/layouts.y>

/// No list of nginx is followed further than this.
#define NGX_MOST_CONNECTIONS 10000000ul
#define NGX_MOST_MODULES 4096ul

/// The page size that this nginx works with, in bytes.
uint64_t ngx_page_bytes;

/// The present cycle, or NULL where there is none.
ngx_cycle_t *ngx_live_cycle(void)
{
##ifdefvar ngx_cycle
    return *(ngx_cycle_t **)&ngx_cycle;
##else
    return NULL;
##endif
}

/// Learns the page size. Gives 0 if the target does not say a sensible one.
int ngx_learn_page_size(void)
{
    uint64_t bytes = 0;
##ifdefvar ngx_pagesize
    bytes = *(uint64_t *)&ngx_pagesize;
##endif
    ngx_page_bytes = bytes;
    return bytes >= 512 && bytes <= 1ul << 24 && (bytes & (bytes - 1)) == 0;
}

/// Where the first object of a pool lies.
#define ngx_pool_first(p) ((void *)((char *)(p) + sizeof(ngx_pool_t)))

/// Things that make no sense, or cannot be read, and were left out.
long ngx_skipped;

/// Whether a pool's head is sound: its addresses are in order, its present block is on its chain. Faults mean no.
int ngx_valid_pool(ngx_pool_t *pool)
{
    uint64_t p = (uint64_t)pool;
    if (p == 0 || (p & 15))
        return 0;
    _try {
        uint64_t last = (uint64_t)pool->d.last;
        uint64_t end = (uint64_t)pool->d.end;
        if (last < p + sizeof(ngx_pool_data_t) || last > end || end - p > 1ul << 40 || pool->max >= ngx_page_bytes || pool->max > end - p)
            return 0;
        ngx_pool_t *block = pool;
        for (int i = 0; i < 1000000 && block; i++) {
            if (block == pool->current)
                return 1;
            block = block->d.next;
        }
    } _catch (_fault f) {
        return 0;
    }
    return 0;
}

/// Whether the live cycle is what the types in use say: it is the first object of its own pool, and all that is looked at fits. Faults mean no.
int ngx_valid_cycle(void)
{
    _try {
        ngx_cycle_t *cycle = ngx_live_cycle();
        if (!cycle || !ngx_learn_page_size() || !ngx_valid_pool(cycle->pool))
            return 0;
        if ((uint64_t)cycle - (uint64_t)cycle->pool - sizeof(ngx_pool_t) > 16)
            return 0;
        if (cycle->modules_n == 0 || cycle->modules_n > NGX_MOST_MODULES || cycle->connection_n > NGX_MOST_CONNECTIONS)
            return 0;
        if (cycle->shared_memory.part.nelts > cycle->shared_memory.nalloc || cycle->shared_memory.size != sizeof(ngx_shm_zone_t))
            return 0;
        ngx_module_t *core = cycle->modules[0];
        if (strcmp(core->name, "ngx_core_module") != 0)
            return 0;
##ifdefenum NGX_LAYOUT_FROM
        int compat = _issuffix(_tostr(core->signature), "1");
        if (core->version < NGX_LAYOUT_FROM || core->version > NGX_LAYOUT_TO || compat != NGX_LAYOUT_COMPAT)
            return 0;
##endif
        // The events of neighbouring connections are neighbours, too. The master has no connections, unless it was a process alone once.
        ngx_connection_t *c = cycle->connections;
        if (!c)
            return 1;
        uint64_t stride = (uint64_t)c[1].read - (uint64_t)c[0].read;
        for (uint64_t i = 0; i < cycle->connection_n && i < 64; i++)
            if ((uint64_t)c[i].read != (uint64_t)cycle->read_events + i * stride || (uint64_t)c[i].write != (uint64_t)cycle->write_events + i * stride)
                return 0;
        return stride >= 80 && stride <= 256;
    } _catch (_fault f) {
        return 0;
    }
}

/// Explains why there is no cycle.
void ngx_none(void)
{
    if (!ngx_live_cycle())
        _raise("no nginx in this process, or one that exports no symbols (there is no `ngx_cycle`): `ytrace ps` tells. Where it is one, its debug information is "
               "needed (--debug-file nginx=FILE), or the types of the same build (`ytrace types extract` where there is debug information, --types FILE here)");
    _raise("the cycle of this nginx is not what the types say. Another version than those known, or built with other options: its debug information is needed "
           "(--debug-file nginx=FILE), or the types of the same build (`ytrace types extract` where there is debug information, --types FILE here)");
}

/// The check of <nginx/layouts.y>.
int ngx_valid(void)
{
    if (ngx_valid_cycle())
        return 1;
#ifdef LAYOUTS_ARE_OPTIONAL
    return -1;
#else
    ngx_none();
    return 0;
#endif
}

/// The present cycle. Ends the run with an explanation where there is none, or where the types do not fit it.
ngx_cycle_t *ngx_require_cycle(void)
{
    if (!ngx_valid_cycle()) {
        _try {
            ngx_none();
        } _catch (_fault f) {
            _error("%s", f.message);
        }
    }
    return ngx_live_cycle();
}

/// "1.22.1", the version of this nginx.
_str ngx_version_text(ngx_cycle_t *cycle)
{
    _try {
        uint64_t version = cycle->modules[0]->version;
        return sprintf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
    } _catch (_fault f) {
        return "?";
    }
}

/// nginx's clocks as they are now (in a core file: as nginx noted them last), in milliseconds: since 1970, and the one that its timers and connections use.
long ngx_wall_ms, ngx_timer_ms;

/// Learns the clocks. nginx notes them when it has events to handle; since 1.13.10 its timers go by the system's monotonic clock, which says how long ago that
/// was. Where that cannot be, its notes stand.
void ngx_learn_clocks(void)
{
    _try {
##ifdefvar ngx_cached_time
        long *now = *(long **)&ngx_cached_time;
        ngx_wall_ms = now[0] * 1000 + now[1] % 1000;
##endif
##ifdefvar ngx_current_msec
        ngx_timer_ms = *(long *)&ngx_current_msec;
##endif
    } _catch (_fault f) {
        ngx_skipped++;
    }
    long since = _now_ms() - ngx_timer_ms;
    if (_is_live() && since > 0 && since < 365l * 86400 * 1000) {
        ngx_timer_ms += since;
        ngx_wall_ms += since;
    }
}

/// What belongs to whom: the names of nginx's modules with the beginnings of their symbols, and the files that are mapped.
_str ngx_module_names[];
_str ngx_module_prefixes[];
ngx_module_t *ngx_module_list[];
_loaded_module ngx_files[];
/// Index of the file that is the program, and addresses between which its code and data lie, and those of all others.
long ngx_program_file = -1;
uint64_t ngx_program_start, ngx_program_end, ngx_others_start, ngx_others_end;

/// Learns the modules of a cycle and the files of the process.
void ngx_learn_modules(ngx_cycle_t *cycle)
{
    for (uint64_t i = 0; i < cycle->modules_n && i < NGX_MOST_MODULES; i++) {
        _try {
            ngx_module_t *module = cycle->modules[i];
            if (!module || !module->name)
                continue;
            _str name = _tostr(module->name);
            _push(ngx_module_list, module);
            _push(ngx_module_names, name);
            _push(ngx_module_prefixes, _issuffix(name, "_module") ? _substr(name, 0, _len(name) - 6) : name + "_");
        } _catch (_fault f) {
            ngx_skipped++;
        }
    }
    ngx_others_start = ~0ul;
    uint64_t cycle_variable = 0;
##ifdefvar ngx_cycle
    cycle_variable = (uint64_t)&ngx_cycle;
##endif
    // Zeroed data beyond the end of a file follows in mappings of no name.
    _foreach (m in _modules()) {
        uint64_t start = (uint64_t)m.start;
        uint64_t end = (uint64_t)m.end;
        if (_isprefix(m.name, "["))
            continue;
        if (cycle_variable >= start && cycle_variable < end + (1ul << 20) && ngx_program_file < 0) {
            ngx_program_file = _elems(ngx_files);
            ngx_program_start = start;
            ngx_program_end = end;
        } else {
            if (start < ngx_others_start)
                ngx_others_start = start;
            if (end > ngx_others_end)
                ngx_others_end = end;
        }
        _push(ngx_files, m);
    }
}

/// The file that an address lies in, or -1.
long ngx_file_of(uint64_t a)
{
    if (a >= ngx_program_start && a < ngx_program_end)
        return ngx_program_file;
    if (a < ngx_others_start || a >= ngx_others_end)
        return -1;
    _foreach (i, m in ngx_files)
        if (a >= (uint64_t)m.start && a < (uint64_t)m.end)
            return i;
    return -1;
}

/// The nginx module that a symbol belongs to by its name, or "nginx" for what all share.
_str ngx_module_of_symbol(_str symbol)
{
    _str best = "nginx";
    long length = 0;
    _foreach (i, prefix in ngx_module_prefixes) {
        long n = _len(prefix);
        if (n > length && _isprefix(symbol, prefix)) {
            best = ngx_module_names[i];
            length = n;
        }
        // Functions of `ngx_http_x_module` are also called `ngx_x_…`.
        if (_isprefix(prefix, "ngx_http_") && n - 5 > length && _isprefix(symbol, "ngx_" + _substr(prefix, 9, n - 9))) {
            best = ngx_module_names[i];
            length = n - 5;
        }
    }
    return best;
}

/// A symbol without its distance; "" for none, and for what only follows a symbol.
_str ngx_symbol(uint64_t a)
{
    _str symbol = _usym((void *)a);
    if (_isprefix(symbol, "0x"))
        return "";
    return _chop_token(symbol, "+");
}

/// The module that an address of code or data belongs to: an nginx module, or the name of another file; "" for neither.
_str ngx_module_at(uint64_t a)
{
    long file = ngx_file_of(a);
    if (file < 0)
        return "";
    if (file == ngx_program_file)
        return ngx_module_of_symbol(ngx_symbol(a));
    // A dynamic module's structure lies in its file.
    _str name = "";
    _foreach (i, module in ngx_module_list) {
        if ((uint64_t)module >= (uint64_t)ngx_files[file].start && (uint64_t)module < (uint64_t)ngx_files[file].end) {
            if (name == "" || _len(ngx_module_names[i]) < _len(name))
                name = ngx_module_names[i];
        }
    }
    return name == "" ? ngx_files[file].name : name;
}

/// The name of a module by the address of its structure, or of what lies there; "" for nothing.
_str ngx_module_name(void *tag)
{
    _foreach (i, module in ngx_module_list)
        if ((void *)module == tag)
            return ngx_module_names[i];
    return tag ? ngx_symbol((uint64_t)tag) : "";
}

#endif
