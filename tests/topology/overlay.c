#include "tests/topology/overlay.h"

#include <stdio.h>
#include <stdlib.h>

#include "reload/wire/message.h"

#define TTL           100
#define TRANSMISSIONS 5
#define RETRANSMIT_MS 3000
#define BODY_MAX      16384

enum event_type { MESSAGE, RETRY, LINK, CLOSE, BOOTSTRAP, PUSHED, ANSWER };
enum { ATTACH = 0x3, STORE = 0x7, PING = 0x17 };

struct message {
    size_t origin;
    uint16_t code;
    bool has_via, to_resource, send_update;
    struct reload_node_id via;
    uint8_t id[32];
    size_t id_len;
    uint8_t *body;
    size_t body_len;
    uint32_t cookie;
    size_t resource; /* STORE */
    bool replica;
    size_t path[TTL + 1], hops;
    unsigned ttl, sent;
    bool done, handled; /* the origin has its answer; the far end has handled it */
    size_t handler;
    uint16_t answer_code;
    uint8_t *answer;
    size_t answer_len;
    unsigned references;
};

struct event {
    uint64_t at, order;
    enum event_type type;
    size_t node, other;
    struct message *message;
    uint32_t cookie;
    int error;
    bool send_update;
    size_t hop;
};

struct overlay {
    struct overlay_options options;
    struct reload_config config;
    struct reload_random random;
    uint64_t state, now, order;
    struct overlay_node *nodes[OVERLAY_NODES_MAX];
    size_t count;
    bool linked[OVERLAY_NODES_MAX][OVERLAY_NODES_MAX];
    size_t border;
    bool cut;
    struct event *heap;
    size_t heap_count, heap_capacity;
    struct reload_node_id resources[OVERLAY_RESOURCES_MAX];
    size_t resource_count;
};

/* --- chance and time --- */

static uint64_t next_random(struct overlay *o)
{
    uint64_t z = (o->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void fill(void *context, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)next_random(context);
}

static struct reload_time clock_of(const struct overlay *o)
{
    return (struct reload_time){ o->now, UINT64_C(1700000000000) + o->now };
}

static uint64_t delay(struct overlay *o)
{
    return 5 + next_random(o) % 20;
}

static bool before(const struct event *a, const struct event *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void post(struct overlay *o, struct event e)
{
    if (o->heap_count == o->heap_capacity) {
        o->heap_capacity = o->heap_capacity ? 2 * o->heap_capacity : 1024;
        o->heap = realloc(o->heap, o->heap_capacity * sizeof *o->heap);
    }
    e.order = o->order++;
    size_t i = o->heap_count++;
    for (; i > 0 && before(&e, &o->heap[(i - 1) / 2]); i = (i - 1) / 2)
        o->heap[i] = o->heap[(i - 1) / 2];
    o->heap[i] = e;
    if (e.message)
        e.message->references++;
}

static struct event take(struct overlay *o)
{
    struct event top = o->heap[0], last = o->heap[--o->heap_count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= o->heap_count)
            break;
        if (child + 1 < o->heap_count && before(&o->heap[child + 1], &o->heap[child]))
            child++;
        if (!before(&o->heap[child], &last))
            break;
        o->heap[i] = o->heap[child];
        i = child;
    }
    o->heap[i] = last;
    return top;
}

static void release(struct message *m)
{
    if (!m || --m->references > 0)
        return;
    free(m->body);
    free(m->answer);
    free(m);
}

/* --- nodes and links --- */

static size_t index_of(const struct overlay *o, const struct reload_node_id *id)
{
    for (size_t i = 0; i < o->count; i++)
        if (reload_node_id_equal(&o->nodes[i]->host.self, id))
            return i;
    return SIZE_MAX;
}

static bool divided(const struct overlay *o, size_t a, size_t b)
{
    return o->cut && (a < o->border) != (b < o->border);
}

static const struct reload_topology_ops *ops(const struct overlay *o)
{
    return o->options.ops;
}

static void link_nodes(struct overlay *o, size_t a, size_t b)
{
    if (a == b || o->linked[a][b] || !o->nodes[a]->alive || !o->nodes[b]->alive || divided(o, a, b))
        return;
    o->linked[a][b] = o->linked[b][a] = true;
    ops(o)->link_up(o->nodes[a]->topology, &o->nodes[b]->host.self, clock_of(o));
    ops(o)->link_up(o->nodes[b]->topology, &o->nodes[a]->host.self, clock_of(o));
}

static void unlink_nodes(struct overlay *o, size_t a, size_t b)
{
    if (!o->linked[a][b])
        return;
    o->linked[a][b] = o->linked[b][a] = false;
    if (o->nodes[a]->alive)
        ops(o)->link_down(o->nodes[a]->topology, &o->nodes[b]->host.self, false, clock_of(o));
    if (o->nodes[b]->alive)
        ops(o)->link_down(o->nodes[b]->topology, &o->nodes[a]->host.self, false, clock_of(o));
}

/* --- the host's functions --- */

static const struct reload_config *host_config(void *context)
{
    return &((struct overlay_node *)context)->overlay->config;
}

static void transmit(struct overlay *o, struct message *m)
{
    m->sent++;
    m->hops = 0;
    m->ttl = TTL;
    post(o, (struct event){ .at = o->now, .type = MESSAGE, .node = m->origin, .message = m });
    post(o, (struct event){
                .at = o->now + RETRANSMIT_MS, .type = RETRY, .node = m->origin, .message = m });
}

static struct message *message_new(struct overlay_node *n, uint16_t code,
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

static void host_request(void *context, const struct reload_topology_request *request)
{
    struct overlay_node *n = context;
    n->requests_sent++;
    n->updates_sent += request->code == RELOAD_UPDATE_REQ;
    struct message *m = message_new(n, request->code, request->via, request->to_resource,
                                    request->destination, request->cookie);
    m->body_len = request->body.n;
    m->body = malloc(m->body_len + 1);
    if (m->body_len > 0)
        memcpy(m->body, request->body.p, m->body_len);
    transmit(n->overlay, m);
}

static void host_attach(void *context, const struct reload_node_id *via, bool to_resource,
                        struct reload_slice destination, bool send_update, uint32_t cookie)
{
    struct overlay_node *n = context;
    n->attaches++;
    struct message *m = message_new(n, ATTACH, via, to_resource, destination, cookie);
    m->send_update = send_update;
    transmit(n->overlay, m);
}

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
            ops(o)->responsible(n->topology, id))
            continue;
        size_t owner = 0;
        while (owner < o->count &&
               !(o->nodes[owner]->alive && ops(o)->responsible(o->nodes[owner]->topology, id)))
            owner++;
        if (owner == o->count)
            error = RELOAD_E_TIMEOUT;
        else if (ops(o)->replica_plausible(o->nodes[owner]->topology, id, &n->host.self))
            o->nodes[owner]->holds[r] = true;
        else
            error = RELOAD_E_FORBIDDEN;
    }
    post(o, (struct event){ .at = o->now + (error == RELOAD_E_TIMEOUT ? 15000 : 4 * delay(o)),
                            .type = PUSHED,
                            .node = n->index,
                            .cookie = push->cookie,
                            .error = error });
}

static void host_push(void *context, const struct reload_topology_push *push)
{
    struct overlay_node *n = context;
    struct overlay *o = n->overlay;
    size_t target = index_of(o, &push->target);
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
        if (ops(o)->replica_plausible(o->nodes[target]->topology,
                                      reload_node_id_slice(&o->resources[r]), &n->host.self))
            o->nodes[target]->holds[r] = true;
        else
            error = RELOAD_E_FORBIDDEN;
    }
    post(o, (struct event){ .at = o->now + (error == RELOAD_E_TIMEOUT ? 15000 : 2 * delay(o)),
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

static void host_disconnect(void *context, const struct reload_node_id *node_id)
{
    struct overlay_node *n = context;
    size_t other = index_of(n->overlay, node_id);
    if (other != SIZE_MAX)
        post(n->overlay,
             (struct event){
                 .at = n->overlay->now, .type = CLOSE, .node = n->index, .other = other });
}

static bool host_connected(void *context, const struct reload_node_id *node_id)
{
    struct overlay_node *n = context;
    size_t other = index_of(n->overlay, node_id);
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
    post(n->overlay, (struct event){ .at = n->overlay->now + 3 * delay(n->overlay),
                                     .type = BOOTSTRAP,
                                     .node = n->index });
}

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

/* --- messages under way --- */

/* One step of s6.1: SIZE_MAX-1 "here", SIZE_MAX "nowhere", else the next node. */
#define HERE (SIZE_MAX - 1)
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
    bool responsible = ops(o)->responsible(n->topology, target);
    if (resource && responsible)
        return HERE;
    size_t direct = index_of(o, &as_node);
    if (direct != SIZE_MAX && o->linked[at][direct])
        return direct;
    struct reload_node_id next;
    if (responsible || !ops(o)->next_hop(n->topology, target, &next))
        return SIZE_MAX;
    size_t index = index_of(o, &next);
    return index != SIZE_MAX && o->linked[at][index] ? index : SIZE_MAX;
}

static void send_answer(struct overlay *o, struct message *m)
{
    uint64_t at = o->now;
    for (size_t i = m->hops; i > 0; i--) {
        size_t from = i == m->hops ? m->handler : m->path[i], to = m->path[i - 1];
        if (!o->linked[from][to])
            return;
        if (next_random(o) % 100 < o->options.loss_percent)
            return;
        at += delay(o);
    }
    post(o, (struct event){ .at = at, .type = ANSWER, .node = m->origin, .message = m });
}

static void store_replicas(struct overlay *o, struct overlay_node *n, size_t resource)
{
    struct reload_node_id holders[RELOAD_REPLICAS_MAX];
    struct reload_slice id = reload_node_id_slice(&o->resources[resource]);
    size_t count = ops(o)->replicas(n->topology, id, holders, RELOAD_REPLICAS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct message *m =
            message_new(n, STORE, NULL, false, reload_node_id_slice(&holders[i]), 0);
        m->resource = resource;
        m->replica = true;
        transmit(o, m);
    }
}

static void handle_store(struct overlay *o, struct overlay_node *n, struct message *m)
{
    struct reload_slice id = reload_node_id_slice(&o->resources[m->resource]);
    if (!m->replica) {
        n->holds[m->resource] = true;
        store_replicas(o, n, m->resource);
    } else if (ops(o)->replica_plausible(n->topology, id, &o->nodes[m->origin]->host.self)) {
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
    m->answer_code = ops(o)->handle(n->topology, &in, &w, clock_of(o));
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
    if (next == SIZE_MAX || m->ttl-- == 0 || next_random(o) % 100 < o->options.loss_percent)
        return;
    m->path[m->hops++] = e->node;
    post(
        o,
        (struct event){
            .at = o->now + delay(o), .type = MESSAGE, .node = next, .message = m, .hop = m->hops });
}

static void tell(struct overlay *o, struct message *m, int error)
{
    struct overlay_node *n = o->nodes[m->origin];
    m->done = true;
    if (m->code == STORE)
        return;
    if (m->code == ATTACH) {
        if (error != 0 || m->handler == m->origin)
            ops(o)->attached(n->topology, m->cookie, error ? error : RELOAD_E_INVALID, NULL,
                             clock_of(o));
        else /* the link comes up next */
            post(o, (struct event){ .at = o->now + 2 * delay(o),
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
        ops(o)->answer(n->topology, &answer, clock_of(o));
}

static void on_retry(struct overlay *o, struct message *m)
{
    if (m->done || !o->nodes[m->origin]->alive)
        return;
    if (m->sent < TRANSMISSIONS)
        transmit(o, m);
    else
        tell(o, m, RELOAD_E_TIMEOUT);
}

static void on_link(struct overlay *o, struct event *e)
{
    struct overlay_node *n = o->nodes[e->node], *other = o->nodes[e->other];
    link_nodes(o, e->node, e->other);
    bool up = o->linked[e->node][e->other];
    ops(o)->attached(n->topology, e->cookie, up ? 0 : RELOAD_E_TIMEOUT,
                     up ? &other->host.self : NULL, clock_of(o));
    if (up && e->send_update)
        ops(o)->update_wanted(other->topology, &n->host.self, clock_of(o));
}

/* The first live node that can be reached and is not the one that asks. */
static void on_bootstrap(struct overlay *o, size_t node)
{
    for (size_t i = 0; i < o->count; i++) {
        if (i == node || !o->nodes[i]->alive || divided(o, i, node) ||
            o->nodes[i]->state != RELOAD_TOPOLOGY_JOINED ||
            o->nodes[i]->host.role != RELOAD_ROLE_PEER)
            continue;
        link_nodes(o, node, i);
        ops(o)->bootstrap(o->nodes[node]->topology, &o->nodes[i]->host.self, clock_of(o));
        return;
    }
    ops(o)->bootstrap(o->nodes[node]->topology, NULL, clock_of(o));
}

static void perform(struct overlay *o, struct event *e)
{
    if (!o->nodes[e->node]->alive)
        return;
    switch (e->type) {
    case MESSAGE: on_message(o, e); break;
    case RETRY: on_retry(o, e->message); break;
    case LINK: on_link(o, e); break;
    case CLOSE: unlink_nodes(o, e->node, e->other); break;
    case BOOTSTRAP: on_bootstrap(o, e->node); break;
    case PUSHED:
        ops(o)->pushed(o->nodes[e->node]->topology, e->cookie, e->error, clock_of(o));
        break;
    case ANSWER:
        if (!e->message->done)
            tell(o, e->message, 0);
        break;
    }
}

/* --- running --- */

static uint64_t next_wake(const struct overlay *o)
{
    uint64_t wake = o->heap_count > 0 ? o->heap[0].at : RELOAD_NEVER;
    for (size_t i = 0; i < o->count; i++) {
        if (!o->nodes[i]->alive)
            continue;
        uint64_t d = ops(o)->deadline(o->nodes[i]->topology);
        if (d < wake)
            wake = d;
    }
    return wake < o->now ? o->now : wake;
}

static void run_instant(struct overlay *o)
{
    while (o->heap_count > 0 && o->heap[0].at <= o->now) {
        struct event e = take(o);
        perform(o, &e);
        release(e.message);
    }
    for (size_t i = 0; i < o->count; i++)
        if (o->nodes[i]->alive && ops(o)->deadline(o->nodes[i]->topology) <= o->now)
            ops(o)->tick(o->nodes[i]->topology, clock_of(o));
}

static bool all_joined(const struct overlay *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->nodes[i]->alive && o->nodes[i]->state != RELOAD_TOPOLOGY_JOINED)
            return false;
    return true;
}

static bool run(struct overlay *o, uint64_t ms, bool until_joined)
{
    uint64_t end = o->now + ms;
    for (;;) {
        if (until_joined && all_joined(o))
            return true;
        uint64_t wake = next_wake(o);
        if (wake > end)
            break;
        o->now = wake;
        run_instant(o);
    }
    o->now = end;
    return all_joined(o);
}

void overlay_run(struct overlay *o, uint64_t ms)
{
    (void)run(o, ms, false);
}

bool overlay_run_until_joined(struct overlay *o, uint64_t ms)
{
    return run(o, ms, true);
}

uint64_t overlay_now(const struct overlay *o)
{
    return o->now;
}

struct overlay *overlay_new(const struct overlay_options *options)
{
    struct overlay *o = calloc(1, sizeof *o);
    o->options = *options;
    o->state = options->seed;
    o->random = (struct reload_random){ fill, o };
    o->now = 1000;
    o->config.node_id_length = 16;
    o->config.chord_reactive = !options->not_reactive;
    o->config.chord_update_interval_s =
        options->update_interval_s ? options->update_interval_s : 600;
    o->config.chord_ping_interval_s = options->ping_interval_s ? options->ping_interval_s : 3600;
    return o;
}

void overlay_free(struct overlay *o)
{
    for (size_t i = 0; i < o->count; i++) {
        ops(o)->destroy(o->nodes[i]->topology);
        free(o->nodes[i]);
    }
    while (o->heap_count > 0) {
        struct event e = take(o);
        release(e.message);
    }
    free(o->heap);
    free(o);
}

size_t overlay_add(struct overlay *o, enum reload_role role, const struct reload_node_id *id)
{
    struct overlay_node *n = calloc(1, sizeof *n);
    n->overlay = o;
    n->index = o->count;
    n->alive = true;
    n->host = (struct reload_topology_host){
        .context = n,
        .role = role,
        .random = &o->random,
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
    n->host.self.len = 16;
    fill(o, n->host.self.bytes, 16);
    if (id)
        n->host.self = *id;
    o->nodes[o->count++] = n;
    if (ops(o)->create(&n->host, clock_of(o), &n->topology) != 0)
        abort();
    return n->index;
}

void overlay_join(struct overlay *o, size_t node, bool first)
{
    ops(o)->join(o->nodes[node]->topology, first, clock_of(o));
}

void overlay_leave(struct overlay *o, size_t node)
{
    ops(o)->leave(o->nodes[node]->topology, clock_of(o));
}

void overlay_kill(struct overlay *o, size_t node)
{
    o->nodes[node]->alive = false;
    for (size_t i = 0; i < o->count; i++)
        unlink_nodes(o, node, i);
}

void overlay_partition(struct overlay *o, size_t border, bool cut)
{
    o->border = border;
    o->cut = cut;
    for (size_t a = 0; cut && a < border; a++)
        for (size_t b = border; b < o->count; b++)
            unlink_nodes(o, a, b);
}

struct overlay_node *overlay_node(struct overlay *o, size_t node)
{
    return o->nodes[node];
}

size_t overlay_node_count(const struct overlay *o)
{
    return o->count;
}

size_t overlay_link_count(const struct overlay *o, size_t node)
{
    size_t count = 0;
    for (size_t i = 0; i < o->count; i++)
        count += o->linked[node][i];
    return count;
}

bool overlay_linked(const struct overlay *o, size_t a, size_t b)
{
    return o->linked[a][b];
}

size_t overlay_store(struct overlay *o, size_t from)
{
    size_t r = o->resource_count++;
    o->resources[r].len = 16;
    fill(o, o->resources[r].bytes, 16);
    struct message *m =
        message_new(o->nodes[from], STORE, NULL, true, reload_node_id_slice(&o->resources[r]), 0);
    m->resource = r;
    transmit(o, m);
    return r;
}

struct reload_node_id overlay_resource(const struct overlay *o, size_t resource)
{
    return o->resources[resource];
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

/* --- invariants --- */

static int by_id(const void *a, const void *b)
{
    const struct overlay_node *const *x = a, *const *y = b;
    return memcmp((*x)->host.self.bytes, (*y)->host.self.bytes, 16);
}

static size_t sorted_peers(struct overlay *o, struct overlay_node **out)
{
    size_t count = 0;
    for (size_t i = 0; i < o->count; i++)
        if (o->nodes[i]->alive && o->nodes[i]->host.role == RELOAD_ROLE_PEER)
            out[count++] = o->nodes[i];
    qsort(out, count, sizeof *out, by_id);
    return count;
}

static size_t fault(struct overlay *o, const struct overlay_node *n, const char *what, size_t index)
{
    printf("seed %llu, %llu ms: node %zu (state %d): %s %zu\n", (unsigned long long)o->options.seed,
           (unsigned long long)o->now, n->index, (int)n->state, what, index);
    return 1;
}

static size_t lists_faults(struct overlay *o, struct overlay_node **ring, size_t count, size_t at)
{
    struct reload_topology_entry entries[300];
    size_t n = ops(o)->snapshot(ring[at]->topology, entries, 300), faults = 0, seen = 0;
    for (size_t i = 0; i < n && i < 300; i++) {
        const struct reload_topology_entry *e = &entries[i];
        if (e->relation > RELOAD_RELATION_SUCCESSOR || e->index + 1 >= count)
            continue;
        size_t distance = (e->index + 1) % count;
        bool forward = e->relation == RELOAD_RELATION_SUCCESSOR;
        const struct overlay_node *right =
            ring[(at + (forward ? distance : count - distance)) % count];
        seen += e->index < 3;
        if (!reload_node_id_equal(&right->host.self, &e->node_id))
            faults +=
                fault(o, ring[at], forward ? "wrong successor" : "wrong predecessor", e->index);
    }
    size_t wanted = count > 3 ? 6 : 2 * (count - 1);
    if (seen < wanted)
        faults += fault(o, ring[at], "neighbours known only", seen);
    return faults;
}

size_t overlay_ring_faults(struct overlay *o)
{
    struct overlay_node *ring[OVERLAY_NODES_MAX];
    size_t count = sorted_peers(o, ring), faults = 0;
    for (size_t i = 0; i < count; i++) {
        if (ring[i]->state != RELOAD_TOPOLOGY_JOINED)
            faults += fault(o, ring[i], "not joined", 0);
        faults += lists_faults(o, ring, count, i);
    }
    return faults;
}

static size_t right_owner(struct overlay_node **ring, size_t count, const struct reload_node_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(ring[i]->host.self.bytes, id->bytes, 16) >= 0)
            return i;
    return 0;
}

size_t overlay_ownership_faults(struct overlay *o)
{
    struct overlay_node *ring[OVERLAY_NODES_MAX];
    size_t count = sorted_peers(o, ring), faults = 0;
    for (size_t k = 0; k < 64 + o->resource_count; k++) {
        struct reload_node_id id = { .len = 16 };
        if (k < o->resource_count)
            id = o->resources[k];
        else
            fill(o, id.bytes, 16);
        size_t right = right_owner(ring, count, &id);
        for (size_t i = 0; i < count; i++)
            if (ops(o)->responsible(ring[i]->topology, reload_node_id_slice(&id)) != (i == right))
                faults += fault(o, ring[i], i == right ? "disowns" : "owns wrongly", k);
    }
    return faults;
}

size_t overlay_replica_faults(struct overlay *o)
{
    struct overlay_node *ring[OVERLAY_NODES_MAX];
    size_t count = sorted_peers(o, ring), faults = 0;
    for (size_t r = 0; r < o->resource_count; r++) {
        size_t owner = right_owner(ring, count, &o->resources[r]);
        for (size_t i = 0; i < 3 && i < count; i++)
            if (!ring[(owner + i) % count]->holds[r])
                faults += fault(o, ring[(owner + i) % count], i ? "lacks replica" : "lacks own", r);
    }
    return faults;
}
