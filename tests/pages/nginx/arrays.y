/// Names of servers, upstreams with their peers, and modules: arrays and lists of pointers.
#include <nginx/c.y>

_probe _oneshot {
    ngx_uint_t                      i, s;
    ngx_str_t                      *name;
    ngx_http_core_srv_conf_t      **cscfp;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_upstream_srv_conf_t   *uscf, **uscfp;
    ngx_http_upstream_rr_peer_t    *peer;
    ngx_http_upstream_rr_peers_t   *peers, *list;
    ngx_http_upstream_main_conf_t  *umcf;

    cmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_core_module);
    cscfp = cmcf->servers.elts;

    for (s = 0; s < cmcf->servers.nelts; s++) {
        name = &cscfp[s]->server_name;
        printf("server %.*s\n", (int) name->len, name->data);
    }

    umcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_http_upstream_module);
    uscfp = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {
        uscf = uscfp[i];

        if (uscf->shm_zone == NULL) {
            continue;
        }

        peers = uscf->peer.data;

        for (list = peers; list; list = list->next) {
            for (peer = list->peer;
                 peer;
                 peer = peer->next)
            {
                printf("peer %.*s weight %ld%s\n", (int) peer->name.len, peer->name.data, peer->weight,
                       list != peers ? " backup" : peer->down ? " down" : "");
            }
        }
    }

    for (i = 0, s = 0; ngx_cycle->modules[i]; i++) {
        if (ngx_cycle->modules[i]->type != NGX_HTTP_MODULE) {
            continue;
        }
        s++;
    }

    printf("modules %s http\n", s > 30 ? "many" : "few");
}
