#include "tests/topology/overlay_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* What each node's plug-in asks of its host. */

static const struct reload_config *host_config(void *context)
{
    return &((struct overlay_node *)context)->overlay->config;
}

static void host_request(void *context, const struct reload_topology_request *request)
{
    struct overlay_node *n = context;
    n->requests_sent++;
    n->updates_sent += request->code == RELOAD_UPDATE_REQ;
    struct message *m = overlay_message_new(n, request->code, request->via, request->to_resource,
                                            request->destination, request->cookie);
    m->body_len = request->body.n;
    m->body = malloc(m->body_len + 1);
    if (m->body_len > 0)
        memcpy(m->body, request->body.p, m->body_len);
    overlay_transmit(n->overlay, m);
}

static void host_attach(void *context, const struct reload_node_id *via, bool to_resource,
                        struct reload_slice destination, bool send_update, uint32_t cookie)
{
    struct overlay_node *n = context;
    n->attaches++;
    struct message *m = overlay_message_new(n, ATTACH, via, to_resource, destination, cookie);
    m->send_update = send_update;
    overlay_transmit(n->overlay, m);
}

/* --- ranges of the store --- */

/* id in (after, up_to], equal ends meaning everything. */
static bool in_range(const uint8_t *id, const uint8_t *after, const uint8_t *up_to)
{
    int order = memcmp(after, up_to, 16);
    bool above = memcmp(id, after, 16) > 0, below = memcmp(id, up_to, 16) <= 0;
    return order == 0 || (order < 0 ? above && below : above || below);
}

/* A push without a target: at once to whoever says that it is responsible, if anybody does. */
static void hand_to_owners(struct overlay_node *n, const struct reload_topology_push *push)
{
    struct overlay *o = n->overlay;
    int error = 0;
    for (size_t r = 0; r < o->resource_count; r++) {
        struct reload_slice id = reload_node_id_slice(&o->resources[r]);
        if (!n->holds[r] || !in_range(id.p, push->after.p, push->up_to.p) ||
            overlay_ops(o)->responsible(n->topology, id))
            continue;
        size_t owner = 0;
        while (owner < o->count && !(o->nodes[owner]->alive &&
                                     overlay_ops(o)->responsible(o->nodes[owner]->topology, id)))
            owner++;
        if (owner == o->count)
            error = RELOAD_E_TIMEOUT;
        else if (overlay_ops(o)->replica_plausible(o->nodes[owner]->topology, id, &n->host.self))
            o->nodes[owner]->holds[r] = true;
        else
            error = RELOAD_E_FORBIDDEN;
    }
    overlay_post(o, (struct event){
                        .at = o->now + (error == RELOAD_E_TIMEOUT ? 15000 : 4 * overlay_delay(o)),
                        .type = PUSHED,
                        .node = n->index,
                        .cookie = push->cookie,
                        .error = error });
}

static void host_push(void *context, const struct reload_topology_push *push)
{
    struct overlay_node *n = context;
    struct overlay *o = n->overlay;
    size_t target = overlay_index_of(o, &push->target);
    n->pushes++;
    if (push->target.len == 0) {
        hand_to_owners(n, push);
        return;
    }
    int error = 0;
    if (target == SIZE_MAX || !o->nodes[target]->alive || !o->linked[n->index][target])
        error = RELOAD_E_TIMEOUT;
    /* The data arrives with the order it was sent in; the plug-in hears later. */
    for (size_t r = 0; error == 0 && r < o->resource_count; r++) {
        if (!n->holds[r] || !in_range(o->resources[r].bytes, push->after.p, push->up_to.p) ||
            o->nodes[target]->holds[r])
            continue;
        if (overlay_ops(o)->replica_plausible(
                o->nodes[target]->topology, reload_node_id_slice(&o->resources[r]), &n->host.self))
            o->nodes[target]->holds[r] = true;
        else
            error = RELOAD_E_FORBIDDEN;
    }
    overlay_post(o, (struct event){
                        .at = o->now + (error == RELOAD_E_TIMEOUT ? 15000 : 2 * overlay_delay(o)),
                        .type = PUSHED,
                        .node = n->index,
                        .cookie = push->cookie,
                        .error = error });
}

static void host_forget(void *context, struct reload_slice after, struct reload_slice up_to)
{
    struct overlay_node *n = context;
    for (size_t r = 0; r < n->overlay->resource_count; r++)
        if (in_range(n->overlay->resources[r].bytes, after.p, up_to.p))
            n->holds[r] = false;
}

/* --- links --- */

static void host_disconnect(void *context, const struct reload_node_id *node_id)
{
    struct overlay_node *n = context;
    size_t other = overlay_index_of(n->overlay, node_id);
    if (other != SIZE_MAX)
        overlay_post(n->overlay,
                     (struct event){
                         .at = n->overlay->now, .type = CLOSE, .node = n->index, .other = other });
}

static bool host_connected(void *context, const struct reload_node_id *node_id)
{
    struct overlay_node *n = context;
    size_t other = overlay_index_of(n->overlay, node_id);
    return other != SIZE_MAX && n->overlay->linked[n->index][other];
}

static size_t host_connections(void *context, struct reload_node_id *out, size_t cap)
{
    struct overlay_node *n = context;
    size_t count = 0;
    for (size_t i = 0; i < n->overlay->count; i++) {
        if (!n->overlay->linked[n->index][i])
            continue;
        if (count < cap)
            out[count] = n->overlay->nodes[i]->host.self;
        count++;
    }
    return count;
}

static void host_lost(void *context)
{
    (void)context;
}

static void host_want_bootstrap(void *context)
{
    struct overlay_node *n = context;
    overlay_post(n->overlay, (struct event){ .at = n->overlay->now + 3 * overlay_delay(n->overlay),
                                             .type = BOOTSTRAP,
                                             .node = n->index });
}

/* --- what it tells --- */

static void host_state(void *context, enum reload_topology_state state, const char *text)
{
    struct overlay_node *n = context;
    n->state = state;
    if (getenv("OVERLAY_TRACE"))
        printf("%8llu %3zu state %d %s\n", (unsigned long long)n->overlay->now, n->index,
               (int)state, text);
}

static void host_log(void *context, enum reload_log_level level, const char *text)
{
    struct overlay_node *n = context;
    if (getenv("OVERLAY_TRACE"))
        printf("%8llu %3zu log %d %s\n", (unsigned long long)n->overlay->now, n->index, (int)level,
               text);
}

void overlay_host_init(struct overlay_node *n, enum reload_role role)
{
    n->host = (struct reload_topology_host){
        .context = n,
        .role = role,
        .random = &n->overlay->random,
        .config = host_config,
        .request = host_request,
        .attach = host_attach,
        .push = host_push,
        .forget = host_forget,
        .disconnect = host_disconnect,
        .connected = host_connected,
        .connections = host_connections,
        .want_bootstrap = host_want_bootstrap,
        .lost = host_lost,
        .state = host_state,
        .log = host_log,
    };
}
