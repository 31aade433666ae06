/// What nginx's structures look like where there is no debug information: one candidate for each distinct set of layouts that matters here.
///
/// The cycle is that of 1.19.10 (April 2021) and later. The connection differs by what nginx was configured with, of which only the size matters to those who
/// do not look behind `pool`; the request is declared up to `pool`, which no version has moved since 1.11.11, as long as there is a cache. Versions that are
/// known whole (Debian 12's, built with --with-compat, which fixes the rest) have further fields, after which `##ifdeffield` asks.
///
/// A candidate is believed only after `ngx_valid` of <nginx/cycle.y> has held on the live structures. To add a version, build it with debug information and
/// take offsets and sizes from there (gdb's `ptype /o`); a target with debug information, or with a types file (`ytrace types extract`), needs no candidate.

#ifndef NGINX_LAYOUTS_Y
#define NGINX_LAYOUTS_Y

int ngx_valid(void);

// What all candidates have in common. `CONNECTION` is what follows a connection's `pool`, `REQUEST` what follows a request's.
#define NGX_LAYOUT(CONNECTION, REQUEST)                                                                                \
    typedef struct ngx_pool_s ngx_pool_t; typedef struct ngx_pool_large_s ngx_pool_large_t;                            \
    typedef struct ngx_pool_cleanup_s ngx_pool_cleanup_t; typedef struct ngx_slab_page_s ngx_slab_page_t;              \
    typedef struct ngx_connection_s ngx_connection_t; typedef struct ngx_cycle_s ngx_cycle_t;                          \
    typedef struct ngx_shm_zone_s ngx_shm_zone_t; typedef struct ngx_list_part_s ngx_list_part_t;                      \
    typedef struct ngx_http_request_s ngx_http_request_t; typedef struct ngx_event_s ngx_event_t;                      \
    typedef struct ngx_module_s ngx_module_t; typedef struct ngx_listening_s ngx_listening_t;                          \
    typedef struct { size_t len; unsigned char *data; } ngx_str_t;                                                     \
    typedef struct {                                                                                                   \
        unsigned char *last; unsigned char *end; ngx_pool_t *next; unsigned long failed;                               \
    } ngx_pool_data_t;                                                                                                 \
    struct ngx_pool_large_s { ngx_pool_large_t *next; void *alloc; };                                                  \
    struct ngx_pool_cleanup_s { void *handler; void *data; ngx_pool_cleanup_t *next; };                                \
    struct ngx_pool_s {                                                                                                \
        ngx_pool_data_t d; size_t max; ngx_pool_t *current; void *chain; ngx_pool_large_t *large;                      \
        ngx_pool_cleanup_t *cleanup; void *log;                                                                        \
    };                                                                                                                 \
    struct ngx_list_part_s { void *elts; unsigned long nelts; ngx_list_part_t *next; };                                \
    typedef struct { ngx_list_part_t *last; ngx_list_part_t part; size_t size; unsigned long nalloc; void *pool; } ngx_list_t; \
    typedef struct { unsigned char *addr; size_t size; ngx_str_t name; void *log; unsigned long exists; } ngx_shm_t;   \
    struct ngx_shm_zone_s { void *data; ngx_shm_t shm; void *init; void *tag; void *sync; unsigned long noreuse; };    \
    struct ngx_slab_page_s { unsigned long slab; ngx_slab_page_t *next; unsigned long prev; };                         \
    typedef struct { unsigned long total; unsigned long used; unsigned long reqs; unsigned long fails; } ngx_slab_stat_t; \
    typedef struct {                                                                                                   \
        uint8_t lock[16]; size_t min_size; size_t min_shift; ngx_slab_page_t *pages; ngx_slab_page_t *last;            \
        ngx_slab_page_t free; ngx_slab_stat_t *stats; unsigned long pfree; unsigned char *start; unsigned char *end;   \
        uint8_t mutex[64]; unsigned char *log_ctx; uint8_t zero; uint8_t flags[7]; void *data; void *addr;             \
    } ngx_slab_pool_t;                                                                                                 \
    typedef struct ngx_rbtree_node_s ngx_rbtree_node_t;                                                                \
    struct ngx_rbtree_node_s {                                                                                         \
        unsigned long key; ngx_rbtree_node_t *left; ngx_rbtree_node_t *right; ngx_rbtree_node_t *parent;               \
        unsigned char color; unsigned char data;                                                                       \
    };                                                                                                                 \
    typedef struct { ngx_rbtree_node_t *root; ngx_rbtree_node_t *sentinel; void *insert; } ngx_rbtree_t;               \
    struct ngx_event_s {                                                                                               \
        void *data; uint32_t flags; int available; void *handler; unsigned long index; void *log;                      \
        ngx_rbtree_node_t timer; void *queue[2];                                                                       \
    };                                                                                                                 \
    struct ngx_module_s {                                                                                              \
        unsigned long ctx_index; unsigned long index; char *name; unsigned long spare0; unsigned long spare1;          \
        unsigned long version; const char *signature;                                                                  \
    };                                                                                                                 \
    struct ngx_listening_s { uint8_t start[80]; void *handler; };                                                      \
    struct ngx_connection_s {                                                                                          \
        void *data; ngx_event_t *read; ngx_event_t *write; int fd; void *recv; void *send; void *recv_chain;           \
        void *send_chain; ngx_listening_t *listening; long sent; void *log; ngx_pool_t *pool; CONNECTION               \
    };                                                                                                                 \
    struct ngx_http_request_s {                                                                                        \
        uint32_t signature; ngx_connection_t *connection; void *ctx; void *main_conf; void *srv_conf; void *loc_conf;  \
        void *read_event_handler; void *write_event_handler; void *cache; void *upstream; void *upstream_states;       \
        ngx_pool_t *pool; REQUEST                                                                                      \
    };                                                                                                                 \
    struct ngx_cycle_s {                                                                                               \
        void *conf_ctx; ngx_pool_t *pool; void *log; uint8_t new_log[80]; unsigned long log_use_stderr; void *files;   \
        ngx_connection_t *free_connections; unsigned long free_connection_n; ngx_module_t **modules;                   \
        unsigned long modules_n; unsigned long modules_used; void *reusable[2]; unsigned long reusable_connections_n;  \
        long connections_reuse_time; uint8_t arrays[184]; uint8_t open_files[56]; ngx_list_t shared_memory;            \
        unsigned long connection_n; unsigned long files_n; ngx_connection_t *connections; ngx_event_t *read_events;    \
        ngx_event_t *write_events; ngx_cycle_t *old_cycle;                                                             \
    };

_layout ngx {
    "nginx-1.22-compat" {
        enum ngx_layout { NGX_LAYOUT_FROM = 1022000, NGX_LAYOUT_TO = 1022999, NGX_LAYOUT_COMPAT = 1 };
        NGX_LAYOUT(
            int type; void *sockaddr; uint32_t socklen; ngx_str_t addr_text; uint8_t pad0[64]; unsigned long number;
            unsigned long start_time; unsigned long requests; unsigned buffered : 8; unsigned log_error : 3;
            unsigned timedout : 1; unsigned error : 1; unsigned destroyed : 1; unsigned pipeline : 1; unsigned idle : 1;
            unsigned reusable : 1; unsigned close : 1; unsigned shared : 1; uint8_t pad1[8];,
            uint8_t pad0[400]; struct { ngx_str_t server; } headers_in; uint8_t pad1[448]; long start_sec;
            unsigned long start_msec; uint8_t pad2[32]; ngx_str_t uri; uint8_t pad3[32]; ngx_str_t unparsed_uri;
            uint8_t pad4[56]; ngx_http_request_t *main; uint8_t pad5[32]; long phase_handler; void *content_handler;
            uint8_t pad6[112]; unsigned count : 16; unsigned subrequests : 8; unsigned blocked : 8; unsigned aio : 1;
            unsigned http_state : 4; uint8_t pad7[6]; uint8_t pad8 : 2; uint8_t header_sent : 1; uint8_t pad9[204];)
    }
    "nginx-1.19.10+-compat" {
        enum ngx_layout { NGX_LAYOUT_FROM = 1019010, NGX_LAYOUT_TO = 1024999, NGX_LAYOUT_COMPAT = 1 };
        NGX_LAYOUT(uint8_t rest[144];, uint8_t rest[8];)
    }
    "nginx-1.25+-compat" {
        enum ngx_layout { NGX_LAYOUT_FROM = 1025000, NGX_LAYOUT_TO = 1099999, NGX_LAYOUT_COMPAT = 1 };
        NGX_LAYOUT(uint8_t rest[152];, uint8_t rest[8];)
    }
    "nginx-1.19.10+-ssl" {
        enum ngx_layout { NGX_LAYOUT_FROM = 1019010, NGX_LAYOUT_TO = 1099999, NGX_LAYOUT_COMPAT = 0 };
        NGX_LAYOUT(uint8_t rest[136];, uint8_t rest[8];)
    }
    "nginx-1.19.10+-plain" {
        enum ngx_layout { NGX_LAYOUT_FROM = 1019010, NGX_LAYOUT_TO = 1099999, NGX_LAYOUT_COMPAT = 0 };
        NGX_LAYOUT(uint8_t rest[128];, uint8_t rest[8];)
    }
    "nginx-1.19.10+-ssl-threads" {
        enum ngx_layout { NGX_LAYOUT_FROM = 1019010, NGX_LAYOUT_TO = 1099999, NGX_LAYOUT_COMPAT = 0 };
        NGX_LAYOUT(uint8_t rest[144];, uint8_t rest[8];)
    }
} _valid ngx_valid;

// Where ngx_valid is.
#include <nginx/cycle.y>

#endif
