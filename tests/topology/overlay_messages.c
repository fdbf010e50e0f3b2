#include "tests/topology/overlay_internal.h"

#include <stdlib.h>

/* Messages under way: hop by hop, with delay and loss, to where they are handled, and back. */

#define TRANSMISSIONS 5
#define RETRANSMIT_MS 3000
#define BODY_MAX      16384

struct message *overlay_message_new(struct overlay_node *n, uint16_t code,
                                    const struct reload_node_id *via, bool to_resource,
                                    struct reload_slice id, uint32_t cookie)
{
    struct message *m = calloc(1, sizeof *m);
    m->origin = n->index;
    m->code = code;
    m->has_via = via != NULL;
    if (via)
        m->via = *via;
    m->to_resource = to_resource;
    memcpy(m->id, id.p, id.n);
    m->id_len = id.n;
    m->cookie = cookie;
    return m;
}

void overlay_transmit(struct overlay *o, struct message *m)
{
    m->sent++;
    m->hops = 0;
    m->ttl = TTL;
    overlay_post(o,
                 (struct event){ .at = o->now, .type = MESSAGE, .node = m->origin, .message = m });
    overlay_post(
        o, (struct event){
               .at = o->now + RETRANSMIT_MS, .type = RETRY, .node = m->origin, .message = m });
}

/* --- routing --- */

#define HERE (SIZE_MAX - 1) /* an index of no node */

/* One step of s6.1: HERE, SIZE_MAX "nowhere", else the next node. */
static size_t step(struct overlay *o, size_t at, bool *has_via, const struct reload_node_id *via,
                   bool to_resource, struct reload_slice id)
{
    struct overlay_node *n = o->nodes[at];
    if (*has_via && reload_node_id_equal(via, &n->host.self))
        *has_via = false;
    struct reload_slice target = *has_via ? reload_node_id_slice(via) : id;
    bool resource = !*has_via && to_resource;
    struct reload_node_id as_node = reload_node_id_from(target);
    if (!resource && reload_node_id_equal(&as_node, &n->host.self))
        return HERE;
    bool responsible = overlay_ops(o)->responsible(n->topology, target);
    if (resource && responsible)
        return HERE;
    size_t direct = overlay_index_of(o, &as_node);
    if (direct != SIZE_MAX && o->linked[at][direct])
        return direct;
    struct reload_node_id next;
    if (responsible || !overlay_ops(o)->next_hop(n->topology, target, &next))
        return SIZE_MAX;
    size_t index = overlay_index_of(o, &next);
    return index != SIZE_MAX && o->linked[at][index] ? index : SIZE_MAX;
}

static int hops(struct overlay *o, size_t from, bool to_resource, struct reload_slice id)
{
    size_t at = from;
    bool has_via = false;
    for (int count = 0; count <= TTL; count++) {
        size_t next = step(o, at, &has_via, NULL, to_resource, id);
        if (next == HERE)
            return count;
        if (next == SIZE_MAX)
            return -1;
        at = next;
    }
    return -1;
}

int overlay_hops(struct overlay *o, size_t from, struct reload_slice id)
{
    return hops(o, from, true, id);
}

int overlay_hops_to_node(struct overlay *o, size_t from, size_t to)
{
    return hops(o, from, false, reload_node_id_slice(&o->nodes[to]->host.self));
}

/* --- where they are handled --- */

static void send_answer(struct overlay *o, struct message *m)
{
    uint64_t at = o->now;
    for (size_t i = m->hops; i > 0; i--) {
        size_t from = i == m->hops ? m->handler : m->path[i], to = m->path[i - 1];
        if (!o->linked[from][to])
            return;
        if (overlay_next_random(o) % 100 < o->options.loss_percent)
            return;
        at += overlay_delay(o);
    }
    overlay_post(o, (struct event){ .at = at, .type = ANSWER, .node = m->origin, .message = m });
}

static void store_replicas(struct overlay *o, struct overlay_node *n, size_t resource)
{
    struct reload_node_id holders[RELOAD_REPLICAS_MAX];
    struct reload_slice id = reload_node_id_slice(&o->resources[resource]);
    size_t count = overlay_ops(o)->replicas(n->topology, id, holders, RELOAD_REPLICAS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct message *m =
            overlay_message_new(n, STORE, NULL, false, reload_node_id_slice(&holders[i]), 0);
        m->resource = resource;
        m->replica = true;
        overlay_transmit(o, m);
    }
}

static void handle_store(struct overlay *o, struct overlay_node *n, struct message *m)
{
    struct reload_slice id = reload_node_id_slice(&o->resources[m->resource]);
    if (!m->replica) {
        n->holds[m->resource] = true;
        store_replicas(o, n, m->resource);
    } else if (overlay_ops(o)->replica_plausible(n->topology, id,
                                                 &o->nodes[m->origin]->host.self)) {
        n->holds[m->resource] = true;
    }
}

static void handle_topology(struct overlay *o, struct overlay_node *n, struct message *m)
{
    uint8_t buffer[BODY_MAX];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    const struct reload_node_id *previous =
        m->hops > 0 ? &o->nodes[m->path[m->hops - 1]]->host.self : NULL;
    struct reload_topology_message in = {
        .code = m->code,
        .body = { m->body, m->body_len },
        .signer = &o->nodes[m->origin]->host.self,
        .previous_hop = previous,
        .direct = m->hops == 1,
    };
    m->answer_code = overlay_ops(o)->handle(n->topology, &in, &w, overlay_clock_of(o));
    m->answer_len = w.len;
    m->answer = malloc(w.len + 1);
    memcpy(m->answer, buffer, w.len);
}

static void arrive(struct overlay *o, size_t at, struct message *m)
{
    struct overlay_node *n = o->nodes[at];
    if (!m->handled) {
        m->handled = true;
        m->handler = at;
        if (m->code == STORE)
            handle_store(o, n, m);
        else if (m->code != ATTACH && m->code != PING)
            handle_topology(o, n, m);
    }
    if (m->handler == at)
        send_answer(o, m);
}

size_t overlay_store(struct overlay *o, size_t from)
{
    size_t r = o->resource_count++;
    o->resources[r].len = 16;
    overlay_fill(o, o->resources[r].bytes, 16);
    struct message *m = overlay_message_new(o->nodes[from], STORE, NULL, true,
                                            reload_node_id_slice(&o->resources[r]), 0);
    m->resource = r;
    overlay_transmit(o, m);
    return r;
}

/* --- events --- */

static void on_message(struct overlay *o, struct event *e)
{
    struct message *m = e->message;
    if (!o->nodes[e->node]->alive || m->done || e->hop != m->hops)
        return;
    size_t next =
        step(o, e->node, &m->has_via, &m->via, m->to_resource, reload_slice_of(m->id, m->id_len));
    if (next == HERE) {
        arrive(o, e->node, m);
        return;
    }
    if (next == SIZE_MAX || m->ttl-- == 0 || overlay_next_random(o) % 100 < o->options.loss_percent)
        return;
    m->path[m->hops++] = e->node;
    overlay_post(o, (struct event){ .at = o->now + overlay_delay(o),
                                    .type = MESSAGE,
                                    .node = next,
                                    .message = m,
                                    .hop = m->hops });
}

static void tell(struct overlay *o, struct message *m, int error)
{
    struct overlay_node *n = o->nodes[m->origin];
    m->done = true;
    if (m->code == STORE)
        return;
    if (m->code == ATTACH) {
        if (error != 0 || m->handler == m->origin)
            overlay_ops(o)->attached(n->topology, m->cookie, error ? error : RELOAD_E_INVALID, NULL,
                                     overlay_clock_of(o));
        else /* the link comes up next */
            overlay_post(o, (struct event){ .at = o->now + 2 * overlay_delay(o),
                                            .type = LINK,
                                            .node = m->origin,
                                            .other = m->handler,
                                            .cookie = m->cookie,
                                            .send_update = m->send_update });
        return;
    }
    struct reload_topology_answer answer = { .cookie = m->cookie, .error = error };
    if (error == 0) {
        answer.signer = o->nodes[m->handler]->host.self;
        answer.error = m->answer_code ? RELOAD_E_FORBIDDEN : 0;
        answer.error_code = m->answer_code;
        answer.body = reload_slice_of(m->answer, m->answer_len);
    }
    if (m->cookie != 0)
        overlay_ops(o)->answer(n->topology, &answer, overlay_clock_of(o));
}

static void on_retry(struct overlay *o, struct message *m)
{
    if (m->done || !o->nodes[m->origin]->alive)
        return;
    if (m->sent < TRANSMISSIONS)
        overlay_transmit(o, m);
    else
        tell(o, m, RELOAD_E_TIMEOUT);
}

static void on_link(struct overlay *o, struct event *e)
{
    struct overlay_node *n = o->nodes[e->node], *other = o->nodes[e->other];
    overlay_link_nodes(o, e->node, e->other);
    bool up = o->linked[e->node][e->other];
    overlay_ops(o)->attached(n->topology, e->cookie, up ? 0 : RELOAD_E_TIMEOUT,
                             up ? &other->host.self : NULL, overlay_clock_of(o));
    if (up && e->send_update)
        overlay_ops(o)->update_wanted(other->topology, &n->host.self, overlay_clock_of(o));
}

/* The first live node that can be reached and is not the one that asks. */
static void on_bootstrap(struct overlay *o, size_t node)
{
    for (size_t i = 0; i < o->count; i++) {
        if (i == node || !o->nodes[i]->alive || overlay_divided(o, i, node) ||
            o->nodes[i]->state != RELOAD_TOPOLOGY_JOINED ||
            o->nodes[i]->host.role != RELOAD_ROLE_PEER)
            continue;
        overlay_link_nodes(o, node, i);
        overlay_ops(o)->bootstrap(o->nodes[node]->topology, &o->nodes[i]->host.self,
                                  overlay_clock_of(o));
        return;
    }
    overlay_ops(o)->bootstrap(o->nodes[node]->topology, NULL, overlay_clock_of(o));
}

void overlay_perform(struct overlay *o, struct event *e)
{
    if (!o->nodes[e->node]->alive)
        return;
    switch (e->type) {
    case MESSAGE: on_message(o, e); break;
    case RETRY: on_retry(o, e->message); break;
    case LINK: on_link(o, e); break;
    case CLOSE: overlay_unlink_nodes(o, e->node, e->other); break;
    case BOOTSTRAP: on_bootstrap(o, e->node); break;
    case PUSHED:
        overlay_ops(o)->pushed(o->nodes[e->node]->topology, e->cookie, e->error,
                               overlay_clock_of(o));
        break;
    case ANSWER:
        if (!e->message->done)
            tell(o, e->message, 0);
        break;
    }
}
