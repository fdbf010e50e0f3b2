#include "topology/mesh/mesh.h"

#include "reload/alloc.h"
#include "topology/mesh/instance.h"

#define ATTACH_PAUSE_MS                                                                            \
    300 /* from the bootstrap link to the first Join: to attach to the members */

static int create(const struct reload_topology_host *host, struct reload_time now,
                  struct reload_topology **out)
{
    if (host->self.len != RELOAD_MESH_ID_LEN ||
        host->config(host->context)->node_id_length != RELOAD_MESH_ID_LEN)
        return RELOAD_E_UNSUPPORTED;
    struct reload_topology *t = reload_calloc(1, sizeof *t);
    if (!t)
        return RELOAD_E_NOMEM;
    t->host = host;
    t->now_ms = now.monotonic_ms;
    t->next_ms = t->replicas_ms = t->updates_ms = t->look_ms = RELOAD_NEVER;
    *out = t;
    return 0;
}

static void destroy(struct reload_topology *t)
{
    reload_free(t);
}

static int resource_id(const struct reload_crypto *crypto, struct reload_slice resource_name,
                       uint8_t *out, size_t *len)
{
    *len = RELOAD_MESH_ID_LEN;
    return reload_crypto_sha1_head(crypto, resource_name, *len, out);
}

/* --- routing --- */

static bool responsible(const struct reload_topology *t, struct reload_slice id)
{
    return id.n == RELOAD_MESH_ID_LEN && reload_mesh_owns(t, id);
}

static bool certain(const struct reload_topology *t, struct reload_slice id)
{
    return !reload_mesh_lost_between(&t->members, id, &t->host->self);
}

static bool undecided(const struct reload_topology *t, struct reload_slice id)
{
    return id.n == RELOAD_MESH_ID_LEN && reload_mesh_check_decides(t, id);
}

static bool next_hop(const struct reload_topology *t, struct reload_slice id,
                     struct reload_node_id *out)
{
    if (t->home.len && (reload_mesh_is_client(t) || t->state != RELOAD_TOPOLOGY_JOINED)) {
        *out = t->home;
        return true;
    }
    const struct reload_mesh_node *owner =
        id.n == RELOAD_MESH_ID_LEN ? reload_mesh_owner(&t->members, id, 0, true) : NULL;
    if (!owner || reload_node_id_equal(&owner->id, &t->host->self))
        return false;
    *out = owner->id;
    return true;
}

static bool close_enough(const struct reload_topology *t, const struct reload_node_id *signer,
                         struct reload_slice resource, struct reload_node_id *closer)
{
    if (reload_mesh_is_client(t) || t->state != RELOAD_TOPOLOGY_JOINED)
        return true;
    /* Of all members and the signer none may lie between the resource and the signer. */
    struct reload_slice own = reload_node_id_slice(signer);
    if (resource.n != own.n)
        return false;
    const struct reload_mesh_node *owner = reload_mesh_owner(&t->members, resource, 0, false);
    if (!owner || reload_node_id_equal(&owner->id, signer) ||
        reload_node_id_equal(&owner->id, &t->host->self))
        return true;
    *closer = owner->id;
    bool wraps = memcmp(owner->id.bytes, resource.p, resource.n) < 0;
    bool signer_wraps = memcmp(own.p, resource.p, resource.n) < 0;
    if (wraps != signer_wraps)
        return wraps;
    return reload_node_id_compare(signer, &owner->id) < 0;
}

static size_t replicas(const struct reload_topology *t, struct reload_slice resource,
                       struct reload_node_id *out, size_t cap)
{
    size_t count = 0;
    for (size_t i = 1; i <= RELOAD_MESH_REPLICAS && count < cap; i++) {
        const struct reload_mesh_node *node =
            reload_mesh_owner(&t->members, reload_node_id_slice(&t->host->self), i, false);
        if (node)
            out[count++] = node->id;
    }
    /* A node that is being given its data gets what comes meanwhile, too. */
    for (size_t i = 0; i < t->joiner_count && count < cap; i++)
        out[count++] = t->joiners[i].id;
    (void)resource;
    return count;
}

static bool replica_plausible(const struct reload_topology *t, struct reload_slice resource,
                              const struct reload_node_id *sender)
{
    if (reload_mesh_is_client(t) || resource.n != RELOAD_MESH_ID_LEN)
        return false;
    if (reload_mesh_owns(t, resource)) /* s6.4.2.3: who had it need not be known here yet */
        return true;
    const struct reload_mesh_node *node = reload_mesh_find_const(&t->members, sender);
    return node && node->member;
}

static uint32_t responsible_ppb(const struct reload_topology *t)
{
    const struct reload_mesh_node *before =
        reload_mesh_before(&t->members, reload_node_id_slice(&t->host->self));
    if (!reload_mesh_owns(t, reload_node_id_slice(&t->host->self)))
        return 0;
    if (!before)
        return 1000000000;
    uint32_t from = 0, to = 0; /* the leading 32 bits are more than a billionth's worth */
    for (int i = 0; i < 4; i++) {
        from = from << 8 | before->id.bytes[i];
        to = to << 8 | t->host->self.bytes[i];
    }
    return (uint32_t)((uint64_t)(uint32_t)(to - from) * 1000000000 >> 32);
}

/* --- life --- */

static void join(struct reload_topology *t, bool first, struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    if (t->state != RELOAD_TOPOLOGY_IDLE && t->state != RELOAD_TOPOLOGY_LEFT)
        return;
    if (first && !reload_mesh_is_client(t)) {
        reload_mesh_admitted(t);
        return;
    }
    reload_mesh_enter(t, RELOAD_TOPOLOGY_JOINING, "looking for a bootstrap node");
    reload_mesh_join_go_on(t);
}

static void leave(struct reload_topology *t, struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    if (t->state != RELOAD_TOPOLOGY_LEFT && t->state != RELOAD_TOPOLOGY_LEAVING)
        reload_mesh_leave(t);
}

static void configured(struct reload_topology *t, struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
}

static uint64_t deadline(const struct reload_topology *t)
{
    uint64_t ms = t->next_ms < t->replicas_ms ? t->next_ms : t->replicas_ms;
    ms = ms < t->updates_ms ? ms : t->updates_ms;
    ms = ms < t->look_ms ? ms : t->look_ms;
    uint64_t check_ms = reload_mesh_checks_deadline(t);
    return ms < check_ms ? ms : check_ms;
}

/* RFC 6940 s10.7.4.4, as for Chord: the discovery of the beginning, repeated. A link to somebody
 * unknown is all it takes: both ends tell each other their members. */
static void look_around(struct reload_topology *t)
{
    t->look_ms = RELOAD_NEVER;
    if (t->state != RELOAD_TOPOLOGY_JOINED)
        return;
    t->look_ms = reload_mesh_next_look(t);
    t->host->want_bootstrap(t->host->context);
}

static void next_step(struct reload_topology *t)
{
    if (t->state == RELOAD_TOPOLOGY_JOINING) {
        reload_mesh_join_go_on(t);
    } else if (t->state == RELOAD_TOPOLOGY_LEAVING) {
        reload_mesh_enter(t, RELOAD_TOPOLOGY_LEFT, "left without all answers");
    } else {
        reload_mesh_owe_all(t);
        t->next_ms =
            t->now_ms + UINT64_C(1000) * t->host->config(t->host->context)->chord_update_interval_s;
    }
}

static void tick(struct reload_topology *t, struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    reload_mesh_checks_tick(t);
    if (t->next_ms <= t->now_ms)
        next_step(t);
    if (t->replicas_ms <= t->now_ms)
        reload_mesh_push_replicas(t);
    if (t->updates_ms <= t->now_ms)
        reload_mesh_send_owed(t);
    if (t->look_ms <= t->now_ms)
        look_around(t);
}

/* --- what happened --- */

static void link_up(struct reload_topology *t, const struct reload_node_id *node_id,
                    struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    struct reload_mesh_node *node = reload_mesh_add(&t->members, node_id);
    if (!node)
        return;
    node->suspect = false;
    reload_mesh_check_heard(t, node);
    reload_mesh_owe(t, node);
}

static void link_down(struct reload_topology *t, const struct reload_node_id *node_id, bool suspect,
                      struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    struct reload_mesh_node *node = reload_mesh_find(&t->members, node_id);
    if (node && suspect) {
        node->suspect = true;
        reload_mesh_check_suspect(t, node);
        return;
    }
    reload_mesh_gone(t, node_id);
}

static void bootstrap(struct reload_topology *t, const struct reload_node_id *node_id,
                      struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    if (t->state != RELOAD_TOPOLOGY_JOINING)
        return;
    if (!node_id || reload_node_id_equal(node_id, &t->host->self)) {
        t->host->state(t->host->context, t->state,
                       "no bootstrap node can be reached; trying again");
        return;
    }
    t->home = *node_id;
    if (reload_mesh_is_client(t))
        reload_mesh_join_go_on(t);
    else /* its Update comes by itself; soon after, the next attempt */
        t->next_ms = t->now_ms + ATTACH_PAUSE_MS;
}

static void attached(struct reload_topology *t, uint32_t cookie, int error,
                     const struct reload_node_id *node_id, struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    if (cookie != RELOAD_MESH_FOR_HOME || error != 0 || !node_id)
        return;
    t->home = *node_id;
    if (t->state == RELOAD_TOPOLOGY_JOINING)
        reload_mesh_enter(t, RELOAD_TOPOLOGY_JOINED, "linked to the responsible peer");
}

static void update_wanted(struct reload_topology *t, const struct reload_node_id *node_id,
                          struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    reload_mesh_owe(t, reload_mesh_find(&t->members, node_id));
}

static void replica_failed(struct reload_topology *t, const struct reload_node_id *holder,
                           struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    reload_mesh_replicas_missed(t, holder);
}

static void doubted(struct reload_topology *t, const struct reload_node_id *closer,
                    struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    reload_mesh_check_avoided(t, closer);
}

static void pushed(struct reload_topology *t, uint32_t cookie, int error, struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    if (cookie == RELOAD_MESH_FOR_LEAVE)
        reload_mesh_leave_pushed(t);
    else if (cookie == RELOAD_MESH_FOR_REPLICAS && error != 0)
        reload_mesh_replicas_missed(t, NULL);
    else
        reload_mesh_joiner_pushed(t, cookie, error);
}

static void answered(struct reload_topology *t, const struct reload_topology_answer *answer,
                     struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    if (answer->cookie >= RELOAD_MESH_FOR_CHECK)
        reload_mesh_check_answered(t, answer);
    else if (answer->cookie == RELOAD_MESH_FOR_LEAVE && t->state == RELOAD_TOPOLOGY_LEAVING &&
             t->leaves_out > 0 && --t->leaves_out == 0)
        reload_mesh_enter(t, RELOAD_TOPOLOGY_LEFT, "left");
}

static uint16_t handle(struct reload_topology *t, const struct reload_topology_message *message,
                       struct reload_writer *body, struct reload_time now)
{
    t->now_ms = now.monotonic_ms;
    return reload_mesh_handle(t, message, body);
}

static size_t snapshot(const struct reload_topology *t, struct reload_topology_entry *out,
                       size_t cap)
{
    size_t count = 0;
    for (size_t i = 0; i < t->members.count; i++) {
        const struct reload_mesh_node *node = &t->members.nodes[i];
        if (!node->member || reload_node_id_equal(&node->id, &t->host->self))
            continue;
        if (count < cap)
            out[count] = (struct reload_topology_entry){
                .node_id = node->id,
                .relation = RELOAD_RELATION_OTHER,
                .index = (uint32_t)count,
            };
        count++;
    }
    return count;
}

const struct reload_topology_ops reload_mesh_ops = {
    .name = "MESH-RELOAD",
    .create = create,
    .destroy = destroy,
    .resource_id = resource_id,
    .resource_id_length = RELOAD_MESH_ID_LEN,
    .responsible = responsible,
    .certain = certain,
    .next_hop = next_hop,
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
