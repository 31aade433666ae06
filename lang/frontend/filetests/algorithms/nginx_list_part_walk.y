// test run
//: typedef unsigned long ngx_uint_t;
//: typedef struct { unsigned long len; unsigned char *data; } ngx_str_t;
//: typedef struct ngx_list_part_s ngx_list_part_t;
//: struct ngx_list_part_s { void *elts; ngx_uint_t nelts; ngx_list_part_t *next; };
//: typedef struct { ngx_list_part_t *last; ngx_list_part_t part; unsigned long size; ngx_uint_t nalloc; void *pool; } ngx_list_t;
//: struct cycle { ngx_list_t shared_memory; };
//: struct cycle *ngx_cycle;
//! memory 0x10000 u64 0x2000
//! memory 0x2000 u64 0x3000 0x4000 2 0x3000 16 2 0
//! memory 0x3000 u64 0x4100 1 0
//! memory 0x4000 u64 3 0x5000 4 0x5003
//! memory 0x4100 u64 2 0x5007
//! memory 0x5000 "onefourab"
_probe _oneshot {
    ngx_uint_t        i;
    ngx_str_t        *shm_zone;
    ngx_list_part_t  *part;

    part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
    shm_zone = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }
            part = part->next;
            shm_zone = part->elts;
            i = 0;
        }

        printf("%.*s\n", (int) shm_zone[i].len, shm_zone[i].data);
    }
}
//> one
//> four
//> ab
