#include "topology/chord/chord.h"

#include <stdio.h>

#include "reload/alloc.h"
#include "reload/wire/error.h"
#include "reload/wire/message.h"
#include "reload/wire/ping.h"
#include "topology/chord/instance.h"

/* The operations of CHORD-RELOAD, and what its files share. */

#define PURPOSE_SHIFT 24

uint32_t reload_chord_cookie(struct reload_topology *t, enum reload_chord_purpose purpose)
{
    t->serial = (t->serial + 1) & ((UINT32_C(1) << PURPOSE_SHIFT) - 1);
    return (uint32_t)purpose << PURPOSE_SHIFT | t->serial;
}

static enum reload_chord_purpose purpose_of(uint32_t cookie)
{
    return (enum reload_chord_purpose)(cookie >> PURPOSE_SHIFT);
}

uint64_t reload_chord_around(struct reload_topology *t, uint64_t ms)
{
    return ms / 2 + reload_random_u64(t->host->random) % (ms + 1);
}

void reload_chord_request(struct reload_topology *t, uint16_t code, struct reload_chord_id to,
                          struct reload_slice body, uint32_t cookie)
{
    struct reload_node_id node_id = reload_chord_id_node(to);
    struct reload_topology_request request = {
        .code = code,
        .destination = reload_node_id_slice(&node_id),
        .body = body,
        .cookie = cookie,
    };
    t->host->request(t->host->context, &request);
}

void reload_chord_ping(struct reload_topology *t, const struct reload_chord_id *via,
                       bool to_resource, struct reload_chord_id to, uint32_t cookie)
{
    uint8_t body[8];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    const struct reload_ping_req ping = { .padding = { NULL, 0 } };
    struct reload_node_id node_id = reload_chord_id_node(to);
    struct reload_node_id over = via ? reload_chord_id_node(*via) : node_id;
    if (reload_ping_req_encode(&w, &ping) != 0)
        return;
    struct reload_topology_request request = {
        .code = RELOAD_PING_REQ,
        .via = via ? &over : NULL,
        .to_resource = to_resource,
        .destination = reload_node_id_slice(&node_id),
        .body = reload_writer_slice(&w),
        .cookie = cookie,
    };
    t->host->request(t->host->context, &request);
}

void reload_chord_log(struct reload_topology *t, enum reload_log_level level, const char *text,
                      struct reload_chord_id id)
{
    char hex[RELOAD_NODE_ID_TEXT], line[160];
    struct reload_node_id node_id = reload_chord_id_node(id);
    (void)snprintf(line, sizeof line, "%s %s", text, reload_node_id_text(&node_id, hex));
    t->host->log(t->host->context, level, line);
}

/* What a change of the Neighbor Table entails: data that moves, Updates, searches. */
void reload_chord_changed(struct reload_topology *t, bool lost)
{
    struct reload_chord_lists before = t->tables.lists;
    reload_chord_tables_refresh(&t->tables);
    if (reload_chord_is_client(t) || reload_chord_lists_equal(&before, &t->tables.lists))
        return;
    reload_chord_replicas_follow(t);
    reload_chord_range_follow(t);
    /* RFC 6940 s10.7.3: a changed table is told to the Connection Table; s10.7.1: after a failure
     * to the Neighbor Table. */
    if (t->owner && t->host->config(t->host->context)->chord_reactive)
        reload_chord_announce(t, !lost, lost);
    reload_chord_fingers_follow(t);
    size_t left = t->tables.lists.successor_count;
    if (before.successor_count == 0 && left > 0 && t->owner)
        reload_chord_step(t, RELOAD_CHORD_REUNITED);
    /* RFC 6940 s10.7.1: with no successor left, join again; but the first peer is the overlay. */
    if (lost && left == 0 && !t->first)
        reload_chord_step(t, RELOAD_CHORD_ISOLATED);
}

/* Every operation ends here. */
static void conclude(struct reload_topology *t)
{
    reload_chord_range_follow(t); /* a predecessor that was waited for may have been given up */
    reload_chord_join_settle(t);
    reload_chord_admissions_go_on(t);
    reload_chord_handover_go_on(t);
    t->checks_due_ms = reload_chord_checks_deadline(t);
    const uint64_t deadlines[] = {
        t->state_until_ms,
        reload_chord_candidates_deadline(t),
        reload_chord_updates_deadline(t),
        reload_chord_replicas_deadline(t),
        reload_chord_fingers_deadline(t),
        reload_chord_stabilize_deadline(t),
        reload_chord_handover_deadline(t),
        t->checks_due_ms,
        t->admission_count > 0 && t->admissions[0].cookie ? t->admissions[0].until_ms
                                                          : RELOAD_NEVER,
    };
    t->wake_ms = RELOAD_NEVER;
    for (size_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++)
        if (deadlines[i] < t->wake_ms)
            t->wake_ms = deadlines[i];
}

static void begin(struct reload_topology *t, struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
}

/* --- construction --- */

static int create(const struct reload_topology_host *host, struct reload_time now,
                  struct reload_topology **out)
{
    /* s10.1 counts modulo 2^128 (docs/protocol.md). */
    if (host->self.len != RELOAD_CHORD_ID_LEN ||
        host->config(host->context)->node_id_length != RELOAD_CHORD_ID_LEN)
        return RELOAD_E_UNSUPPORTED;
    struct reload_topology *t = reload_calloc(1, sizeof *t);
    if (!t)
        return RELOAD_E_NOMEM;
    t->host = host;
    t->self = reload_chord_id_of(&host->self);
    t->now_ms = t->start_ms = now.monotonic_ms;
    t->state_until_ms = t->announce_due_ms = t->forget_due_ms = t->wake_ms = RELOAD_NEVER;
    t->fingers_due_ms = t->search_due_ms = t->repair_due_ms = RELOAD_NEVER;
    t->partition_due_ms = t->stabilize_due_ms = t->links_due_ms = RELOAD_NEVER;
    t->checks_due_ms = RELOAD_NEVER;
    reload_chord_tables_init(&t->tables, t->self);
    *out = t;
    return 0;
}

static void destroy(struct reload_topology *t)
{
    if (!t)
        return;
    reload_chord_tables_fini(&t->tables);
    reload_free(t);
}

/* RFC 6940 s10.2: the most significant 128 bits of the SHA-1. */
static int resource_id(const struct reload_crypto *crypto, struct reload_slice resource_name,
                       uint8_t *out, size_t *len)
{
    *len = RELOAD_CHORD_ID_LEN;
    return reload_crypto_sha1_head(crypto, resource_name, *len, out);
}

/* --- routing --- */

static bool responsible(const struct reload_topology *t, struct reload_slice id)
{
    return id.n == RELOAD_CHORD_ID_LEN && reload_chord_owns(t, reload_chord_id_from(id));
}

/* s10.3 brings a message nearer to k with each peer, clockwise, until the last one hands it over k
 * to the owner. A client may be anywhere. */
static bool retreats(const struct reload_topology *t, struct reload_slice id,
                     const struct reload_node_id *from, const struct reload_node_id *next)
{
    struct reload_chord_id sender = reload_chord_id_of(from), k = reload_chord_id_from(id);
    struct reload_chord_id hop = reload_chord_id_of(next);
    const struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, sender);
    return t->owner && peer && peer->ready && id.n == RELOAD_CHORD_ID_LEN &&
           reload_chord_between(hop, t->self, k) && reload_chord_between(hop, k, sender);
}

static bool other_hop(struct reload_topology *t, struct reload_slice id,
                      const struct reload_node_id *from, struct reload_node_id *out,
                      struct reload_time now)
{
    struct reload_chord_id next;
    begin(t, now);
    bool found = reload_chord_other_hop(t, id, reload_chord_id_of(from), &next);
    if (found)
        *out = reload_chord_id_node(next);
    conclude(t);
    return found;
}

static bool certain(const struct reload_topology *t, struct reload_slice id)
{
    return !reload_chord_tables_lost_after(&t->tables, reload_chord_id_from(id));
}

static bool undecided(const struct reload_topology *t, struct reload_slice id)
{
    return t->checks_due_ms != RELOAD_NEVER && id.n == RELOAD_CHORD_ID_LEN &&
           reload_chord_check_decides(t, reload_chord_id_from(id));
}

/* Shortens *limit to the first of these nodes that comes sooner after r. */
static bool find_closer(const struct reload_chord_id *nodes, size_t count, struct reload_chord_id r,
                        struct reload_chord_id *limit, struct reload_node_id *closer)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        struct reload_chord_id distance = reload_chord_distance(r, nodes[i]);
        if (!reload_chord_id_less(distance, *limit))
            continue;
        *limit = distance;
        *closer = reload_chord_id_node(nodes[i]);
        found = true;
    }
    return found;
}

/* Closeness is the clockwise distance from the resource to the node (docs/protocol.md). */
static bool close_enough(const struct reload_topology *t, const struct reload_node_id *signer,
                         struct reload_slice resource, struct reload_node_id *closer)
{
    if (reload_chord_is_client(t) || !t->owner || resource.n != RELOAD_CHORD_ID_LEN)
        return true;
    struct reload_chord_id r = reload_chord_id_from(resource);
    struct reload_chord_id limit = reload_chord_distance(r, reload_chord_id_of(signer));
    const struct reload_chord_lists *lists = &t->tables.lists;
    bool after = find_closer(lists->successors, lists->successor_count, r, &limit, closer);
    bool before = find_closer(lists->predecessors, lists->predecessor_count, r, &limit, closer);
    return !after && !before;
}

/* While a range is handed to a joining node, what is stored meanwhile goes there too, or it would
 * be missing there. */
static size_t replicas(const struct reload_topology *t, struct reload_slice resource,
                       struct reload_node_id *out, size_t cap)
{
    const struct reload_chord_lists *lists = &t->tables.lists;
    size_t count = 0;
    struct reload_chord_id joining;
    for (size_t i = 0; i < RELOAD_CHORD_REPLICAS && i < lists->successor_count; i++)
        if (count < cap)
            out[count++] = reload_chord_id_node(lists->successors[i]);
    if (count < cap && resource.n == RELOAD_CHORD_ID_LEN &&
        reload_chord_admission_takes(t, reload_chord_id_from(resource), &joining))
        out[count++] = reload_chord_id_node(joining);
    return count;
}

static bool replica_plausible(const struct reload_topology *t, struct reload_slice resource,
                              const struct reload_node_id *sender)
{
    return resource.n == RELOAD_CHORD_ID_LEN &&
           reload_chord_replica_plausible(t, reload_chord_id_from(resource),
                                          reload_chord_id_of(sender));
}

static uint32_t responsible_ppb(const struct reload_topology *t)
{
    return t->owner ? reload_chord_ppb(reload_chord_distance(t->range_after, t->self)) : 0;
}

/* --- life --- */

static void join(struct reload_topology *t, bool first, struct reload_time now)
{
    begin(t, now);
    t->first = first;
    reload_chord_step(t, first ? RELOAD_CHORD_START_FIRST : RELOAD_CHORD_START);
    conclude(t);
}

static void leave(struct reload_topology *t, struct reload_time now)
{
    begin(t, now);
    reload_chord_step(t, RELOAD_CHORD_LEAVE);
    conclude(t);
}

static void configured(struct reload_topology *t, struct reload_time now)
{
    begin(t, now);
    if (t->state == RELOAD_CHORD_JOINED && !reload_chord_is_client(t))
        reload_chord_stabilize_start(t); /* the intervals may be others */
    conclude(t);
}

static uint64_t deadline(const struct reload_topology *t)
{
    return t->wake_ms;
}

static void tick(struct reload_topology *t, struct reload_time now)
{
    begin(t, now);
    reload_chord_candidates_tick(t);
    reload_chord_checks_tick(t);
    if (t->state_until_ms <= t->now_ms)
        reload_chord_step(t, RELOAD_CHORD_TIMEOUT);
    reload_chord_replicas_tick(t);
    reload_chord_fingers_tick(t);
    reload_chord_stabilize_tick(t);
    reload_chord_updates_tick(t);
    conclude(t);
}

/* --- what happened --- */

static void link_up(struct reload_topology *t, const struct reload_node_id *node_id,
                    struct reload_time now)
{
    begin(t, now);
    struct reload_chord_id id = reload_chord_id_of(node_id);
    bool known = reload_chord_tables_find(&t->tables, id) != NULL;
    struct reload_chord_peer *peer = reload_chord_tables_add(&t->tables, id);
    if (peer) {
        peer->suspect = false;
        peer->needed_ms = t->now_ms;
        if (reload_chord_candidate_pending(t, id))
            peer->opened = true;
        if (!known && !peer->owed) /* both ends tell each other that they are peers, s10.7 */
            peer->owed = reload_chord_update_type(t, peer);
        reload_chord_check_heard(t, id);
        reload_chord_changed(t, false);
    }
    conclude(t);
}

static void link_down(struct reload_topology *t, const struct reload_node_id *node_id, bool suspect,
                      struct reload_time now)
{
    begin(t, now);
    struct reload_chord_id id = reload_chord_id_of(node_id);
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    if (peer && suspect) {
        peer->suspect = true;
        reload_chord_changed(t, false);
        reload_chord_check_suspect(t, id);
    } else if (peer) {
        reload_chord_gone(t, id);
    }
    conclude(t);
}

static void bootstrap(struct reload_topology *t, const struct reload_node_id *node_id,
                      struct reload_time now)
{
    begin(t, now);
    t->has_bootstrap = node_id && node_id->len == RELOAD_CHORD_ID_LEN &&
                       !reload_node_id_equal(node_id, &t->host->self);
    if (t->has_bootstrap) {
        t->bootstrap = reload_chord_id_of(node_id);
        struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, t->bootstrap);
        if (peer)
            peer->opened = true;
    }
    if (t->partition_check)
        reload_chord_partition_bootstrap(t, t->has_bootstrap ? node_id : NULL);
    reload_chord_check_bootstrap(t);
    reload_chord_step(t, t->has_bootstrap ? RELOAD_CHORD_LINKED : RELOAD_CHORD_UNLINKED);
    conclude(t);
}

/* The Attach of the join machine: its answerer is the Admitting Peer (s11.4). */
static void ap_attached(struct reload_topology *t, uint32_t cookie, int error,
                        const struct reload_node_id *node_id)
{
    if (cookie != t->ap_cookie || t->state != RELOAD_CHORD_FIND_AP)
        return;
    if (error != 0 || !node_id || node_id->len != RELOAD_CHORD_ID_LEN ||
        reload_node_id_equal(node_id, &t->host->self)) {
        reload_chord_step(t, RELOAD_CHORD_AP_REFUSED);
        return;
    }
    t->ap = reload_chord_id_of(node_id);
    t->has_ap = true;
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, t->ap);
    if (peer)
        peer->opened = true;
    reload_chord_step(t, RELOAD_CHORD_AP_ATTACHED);
}

static void attached(struct reload_topology *t, uint32_t cookie, int error,
                     const struct reload_node_id *node_id, struct reload_time now)
{
    begin(t, now);
    if (purpose_of(cookie) == RELOAD_CHORD_FOR_AP)
        ap_attached(t, cookie, error, node_id);
    else
        reload_chord_candidate_attached(t, cookie, error, node_id);
    conclude(t);
}

static void update_wanted(struct reload_topology *t, const struct reload_node_id *node_id,
                          struct reload_time now)
{
    begin(t, now);
    struct reload_chord_peer *peer =
        reload_chord_tables_find(&t->tables, reload_chord_id_of(node_id));
    if (peer)
        peer->owed = RELOAD_CHORD_UPDATE_FULL; /* s10.7: to who asks with send_update */
    conclude(t);
}

static void pushed(struct reload_topology *t, uint32_t cookie, int error, struct reload_time now)
{
    begin(t, now);
    switch (purpose_of(cookie)) {
    case RELOAD_CHORD_FOR_ADMISSION: reload_chord_admission_pushed(t, cookie, error); break;
    case RELOAD_CHORD_FOR_REPLICA: reload_chord_replica_pushed(t, cookie, error); break;
    case RELOAD_CHORD_FOR_LEAVE: reload_chord_leave_pushed(t, cookie); break;
    case RELOAD_CHORD_FOR_HANDOVER: reload_chord_handover_pushed(t, cookie, error); break;
    case RELOAD_CHORD_FOR_UPDATE:
    case RELOAD_CHORD_FOR_JOIN:
    case RELOAD_CHORD_FOR_AP:
    case RELOAD_CHORD_FOR_CANDIDATE:
    case RELOAD_CHORD_FOR_FINGER:
    case RELOAD_CHORD_FOR_PARTITION:
    case RELOAD_CHORD_FOR_CHECK: break;
    }
    conclude(t);
}

static void replica_failed(struct reload_topology *t, const struct reload_node_id *holder,
                           struct reload_time now)
{
    begin(t, now);
    reload_chord_replica_failed(t, reload_chord_id_of(holder));
    conclude(t);
}

static void doubted(struct reload_topology *t, const struct reload_node_id *closer,
                    struct reload_time now)
{
    begin(t, now);
    reload_chord_check_avoided(t, reload_chord_id_of(closer));
    conclude(t);
}

static void answered(struct reload_topology *t, const struct reload_topology_answer *answer,
                     struct reload_time now)
{
    begin(t, now);
    switch (purpose_of(answer->cookie)) {
    case RELOAD_CHORD_FOR_UPDATE: reload_chord_update_answered(t, answer); break;
    case RELOAD_CHORD_FOR_JOIN: reload_chord_join_answered(t, answer); break;
    case RELOAD_CHORD_FOR_FINGER: reload_chord_finger_answered(t, answer); break;
    case RELOAD_CHORD_FOR_PARTITION: reload_chord_partition_answered(t, answer); break;
    case RELOAD_CHORD_FOR_CHECK: reload_chord_check_answered(t, answer); break;
    case RELOAD_CHORD_FOR_LEAVE: reload_chord_leave_answered(t); break;
    case RELOAD_CHORD_FOR_AP:
    case RELOAD_CHORD_FOR_CANDIDATE:
    case RELOAD_CHORD_FOR_ADMISSION:
    case RELOAD_CHORD_FOR_REPLICA:
    case RELOAD_CHORD_FOR_HANDOVER: break;
    }
    conclude(t);
}

uint16_t reload_chord_refuse(struct reload_writer *body, uint16_t code, const char *why)
{
    reload_wr_bytes(body, reload_slice_of(why, strlen(why)));
    return code;
}

static uint16_t handle(struct reload_topology *t, const struct reload_topology_message *message,
                       struct reload_writer *body, struct reload_time now)
{
    begin(t, now);
    uint16_t code = RELOAD_ERROR_INVALID_MESSAGE;
    switch (message->code) {
    case RELOAD_JOIN_REQ: code = reload_chord_handle_join(t, message, body); break;
    case RELOAD_LEAVE_REQ: code = reload_chord_handle_leave(t, message, body); break;
    case RELOAD_UPDATE_REQ: code = reload_chord_handle_update(t, message, body); break;
    case RELOAD_ROUTE_QUERY_REQ: code = reload_chord_handle_route_query(t, message, body); break;
    default: break;
    }
    conclude(t);
    return code;
}

/* --- looking in --- */

struct listing {
    struct reload_topology_entry *out;
    size_t cap, count;
};

static void list(struct listing *l, struct reload_chord_id id, enum reload_peer_relation relation,
                 size_t index)
{
    if (l->count < l->cap)
        l->out[l->count] = (struct reload_topology_entry){
            .node_id = reload_chord_id_node(id),
            .relation = relation,
            .index = (uint32_t)index,
        };
    l->count++;
}

static size_t snapshot(const struct reload_topology *t, struct reload_topology_entry *out,
                       size_t cap)
{
    struct listing l = { out, cap, 0 };
    const struct reload_chord_lists *lists = &t->tables.lists;
    if (reload_chord_is_client(t)) {
        if (t->has_ap)
            list(&l, t->ap, RELOAD_RELATION_OTHER, 0);
        return l.count;
    }
    for (size_t i = 0; i < lists->predecessor_count; i++)
        list(&l, lists->predecessors[i], RELOAD_RELATION_PREDECESSOR, i);
    for (size_t i = 0; i < lists->successor_count; i++)
        list(&l, lists->successors[i], RELOAD_RELATION_SUCCESSOR, i);
    for (unsigned i = 1; i <= RELOAD_CHORD_ID_BITS; i++) {
        const struct reload_chord_peer *finger = reload_chord_tables_finger(&t->tables, i);
        if (finger)
            list(&l, finger->id, RELOAD_RELATION_FINGER, i);
    }
    return l.count;
}

const struct reload_topology_ops reload_chord_ops = {
    .name = "CHORD-RELOAD",
    .create = create,
    .destroy = destroy,
    .resource_id = resource_id,
    .resource_id_length = RELOAD_CHORD_ID_LEN,
    .responsible = responsible,
    .certain = certain,
    .next_hop = reload_chord_next_hop,
    .retreats = retreats,
    .other_hop = other_hop,
    .undecided = undecided,
    .close_enough = close_enough,
    .replicas = replicas,
    .replica_plausible = replica_plausible,
    .responsible_ppb = responsible_ppb,
    .join = join,
    .leave = leave,
    .configured = configured,
    .deadline = deadline,
    .tick = tick,
    .link_up = link_up,
    .link_down = link_down,
    .bootstrap = bootstrap,
    .attached = attached,
    .update_wanted = update_wanted,
    .pushed = pushed,
    .replica_failed = replica_failed,
    .doubted = doubted,
    .answer = answered,
    .handle = handle,
    .snapshot = snapshot,
};
