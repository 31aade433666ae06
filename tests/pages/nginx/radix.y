/// The networks of a `geo` block: a radix tree of addresses.
#include <nginx/c.y>

static void
walk(ngx_radix_node_t *node, uint32_t key, int bits)
{
    ngx_http_variable_value_t  *vv;

    if (node == NULL)
        return;

    if (node->value != NGX_RADIX_NO_VALUE) {
        vv = (ngx_http_variable_value_t *) node->value;
        printf("%d.%d.%d.%d/%d %.*s\n", key >> 24, key >> 16 & 0xff, key >> 8 & 0xff, key & 0xff, bits, vv->len, vv->data);
    }

    walk(node->left, key, bits + 1);
    walk(node->right, key | 0x80000000u >> bits, bits + 1);
}

_probe _oneshot {
    ngx_uint_t                  i;
    ngx_http_geo_ctx_t         *geo;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if (v[i].get_handler != ngx_http_geo_cidr_variable) {
            continue;
        }

        geo = (ngx_http_geo_ctx_t *) v[i].data;
        walk(geo->u.trees.tree->root, 0, 0);
    }
}
