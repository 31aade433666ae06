// test run
//: typedef unsigned long ngx_uint_t;
//: typedef struct { void *value; unsigned short len; unsigned char name[1]; } ngx_hash_elt_t;
//: typedef struct { ngx_hash_elt_t **buckets; ngx_uint_t size; } ngx_hash_t;
//: ngx_hash_t headers;
//! memory 0x10000 u64 0x2000 3
//! memory 0x2000 u64 0x3000 0 0x3100
//! memory 0x3000 u64 0x11 u16 4 "host" u16 0 u64 0x22 u16 3 "via\0\0\0" u64 0
//! memory 0x3100 u64 0x33 u16 6 "cookie" u64 0
#define ngx_align_ptr(p, a) (unsigned char *) (((uintptr_t) (p) + ((uintptr_t) a - 1)) & ~((uintptr_t) a - 1))
_probe _oneshot {
    ngx_uint_t       i;
    ngx_hash_elt_t  *elt;

    for (i = 0; i < headers.size; i++) {
        elt = headers.buckets[i];
        if (elt == NULL) {
            continue;
        }
        while (elt->value) {
            printf("%lu %.*s %p\n", i, elt->len, elt->name, elt->value);
            elt = (ngx_hash_elt_t *) ngx_align_ptr(&elt->name[0] + elt->len, sizeof(void *));
        }
    }
}
//> 0 host 0x11
//> 0 via 0x22
//> 2 cookie 0x33
