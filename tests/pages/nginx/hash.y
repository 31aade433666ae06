/// The MIME types of the first server: a hash of nginx, bucket by bucket, and one look-up in it.
#include <nginx/c.y>

_probe _oneshot {
    ngx_str_t                  *type;
    ngx_uint_t                  i, n = 0;
    ngx_hash_t                 *hash;
    ngx_hash_elt_t             *elt;
    ngx_http_core_srv_conf_t  **cscfp;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_core_module);
    cscfp = cmcf->servers.elts;
    clcf = cscfp[0]->ctx->loc_conf[ngx_http_core_module.ctx_index];
    hash = &clcf->types_hash;

    for (i = 0; i < hash->size; i++) {
        elt = hash->buckets[i];

        if (elt == NULL) {
            continue;
        }

        while (elt->value) {
            type = elt->value;
            printf("%.*s %.*s\n", elt->len, elt->name, (int) type->len, type->data);

            if (ngx_hash_find(hash, ngx_hash_key(elt->name, elt->len), elt->name, elt->len) == type) {
                n++;
            }

            elt = (ngx_hash_elt_t *) ngx_align_ptr(&elt->name[0] + elt->len, sizeof(void *));
        }
    }

    printf("found %lu\n", n);
}
