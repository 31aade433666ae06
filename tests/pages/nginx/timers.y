/// The timers of a worker, in order, by an explicit stack as well as by recursion.
#include <nginx/c.y>

_option int within = 7200;              /// seconds ahead

static void
timers_walk(ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel, long *unused)
{
    ngx_event_t  *ev;

    if (node == sentinel) {
        return;
    }

    timers_walk(node->left, sentinel, unused);

    ev = ngx_rbtree_data(node, ngx_event_t, timer);

    if (!ev->timer_set || ev->timedout) {
        _error("a timer that is not set");
    }

    if ((ngx_msec_int_t) (node->key - ngx_current_msec) <= (ngx_msec_int_t) within * 1000) {
        printf("%s\n", _usym((void *) ev->handler));
    }

    timers_walk(node->right, sentinel, unused);
}

_probe _oneshot {
    int                 n = 0, red = 0;
    ngx_rbtree_node_t  *stack[], *node, *sentinel;

    sentinel = ngx_event_timer_rbtree.sentinel;
    timers_walk(ngx_event_timer_rbtree.root, sentinel, NULL);

    _push(stack, ngx_event_timer_rbtree.root);

    while (_elems(stack)) {
        if ((node = _pop(stack)) == sentinel)
            continue;
        n++, red += ngx_rbt_is_red(node) ? 1 : 0;
        if (ngx_rbt_is_red(node) && ngx_rbt_is_red(node->parent))
            _error("red below red");
        _push(stack, node->left);
        _push(stack, node->right);
    }

    printf("timers %d\n", n);
}
