/// The shared memory zones of nginx, as its own code goes over a list of parts.
#include <nginx/c.y>

_probe _oneshot {
    ngx_uint_t        i;
    ngx_shm_zone_t   *shm_zone;
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

        if (shm_zone[i].shm.addr == NULL) {
            continue;
        }

        printf("%.*s %zu\n", (int) shm_zone[i].shm.name.len, shm_zone[i].shm.name.data, shm_zone[i].shm.size);
    }
}
