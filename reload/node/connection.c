#include "reload/node/state.h"

#include "reload/alloc.h"

/* The Connection Table: links and the nodes they lead to.
 *
 * A link whose certificate proves one Node-ID is bound to it at once. One that proves several is
 * bound when an Attach tells which (RFC 6940 s6.1.2, s4.2.1); until then it may carry Ping and
 * Attach only.
 *
 * Two links to one node: the end with the larger Node-ID decides. It prefers the newer one and
 * closes the older after a moment in which what is under way can arrive. The other end closes
 * nothing and follows the far end's choice, so that the two never close one each. */

#define SURPLUS_MS   2000
#define IN_FLIGHT_MS 1000  /* for so long an older link may still bring what was sent before */
#define SECOND_MS    30000 /* in which a dial that answers our Attach may arrive */

static uint64_t link_hash(const struct reload_node *node, reload_link_id link)
{
    return reload_hash_u64(&node->key, link);
}

static uint64_t id_hash(const struct reload_node *node, const struct reload_node_id *id)
{
    return reload_hash(&node->key, reload_node_id_slice(id));
}

int reload_connections_init(struct reload_node *node)
{
    struct reload_connections *c = &node->connections;
    c->capacity = node->config.limits.max_links;
    c->slots = reload_calloc(c->capacity, sizeof *c->slots);
    if (!c->slots)
        return RELOAD_E_NOMEM;
    /* s6.3.2.2: generations start at random. */
    for (size_t i = 0; i < c->capacity; i++)
        c->slots[i].generation = reload_random_u64(&node->random) & 7;
    return 0;
}

void reload_connections_fini(struct reload_node *node)
{
    struct reload_connections *c = &node->connections;
    for (size_t i = 0; c->slots && i < c->capacity; i++)
        reload_free(c->slots[i].node_ids);
    reload_free(c->slots);
    reload_table_fini(&c->by_link);
    reload_table_fini(&c->by_node);
}

struct reload_slot *reload_connection_of_link(const struct reload_node *node, reload_link_id link)
{
    size_t place = 0;
    uint64_t hash = link_hash(node, link);
    struct reload_slot *slot;
    while ((slot = reload_table_next(&node->connections.by_link, hash, &place)))
        if (slot->link == link)
            return slot;
    return NULL;
}

struct reload_slot *reload_connection_to(const struct reload_node *node,
                                         const struct reload_node_id *id)
{
    size_t place = 0;
    uint64_t hash = id_hash(node, id);
    struct reload_slot *slot;
    while ((slot = reload_table_next(&node->connections.by_node, hash, &place)))
        if (slot->preferred && reload_node_id_equal(&slot->node_id, id))
            return slot;
    return NULL;
}

bool reload_slot_proves(const struct reload_slot *slot, const struct reload_node_id *id)
{
    for (size_t i = 0; i < slot->node_id_count; i++)
        if (reload_node_id_equal(&slot->node_ids[i], id))
            return true;
    return false;
}

/* s6.3.2.2: slots are used in rotation, so that an old compressed id meets its slot empty. */
static struct reload_slot *take_slot(struct reload_connections *c)
{
    for (size_t n = 0; n < c->capacity; n++) {
        struct reload_slot *slot = &c->slots[c->next];
        c->next = (c->next + 1) % c->capacity;
        if (!slot->used)
            return slot;
    }
    return NULL;
}

static void refuse_link(struct reload_node *node, reload_link_id link, const char *reason)
{
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_CLOSE_LINK);
    if (!action)
        return;
    action->close_link.link = link;
    action->close_link.reason = reason;
}

void reload_connection_close(struct reload_node *node, struct reload_slot *slot, const char *reason)
{
    refuse_link(node, slot->link, reason);
}

void reload_connection_dismiss(struct reload_node *node, const struct reload_node_id *id,
                               const char *reason)
{
    size_t place = 0;
    struct reload_slot *slot;
    while ((slot = reload_table_next(&node->connections.by_node, id_hash(node, id), &place)))
        if (reload_node_id_equal(&slot->node_id, id)) {
            slot->dismissed = true;
            reload_connection_close(node, slot, reason);
        }
}

static struct reload_slot *fill_slot(struct reload_node *node, reload_link_id link,
                                     const struct reload_node_link *info)
{
    struct reload_slot *slot = take_slot(&node->connections);
    if (!slot) {
        reload_drop(node, RELOAD_DROP_LIMIT, NULL, "links");
        return NULL;
    }
    struct reload_node_id *ids =
        reload_memdup(info->node_ids, info->node_id_count * sizeof *info->node_ids);
    if (!ids || reload_table_insert(&node->connections.by_link, link_hash(node, link), slot) != 0) {
        reload_free(ids);
        reload_drop(node, RELOAD_DROP_MEMORY, NULL, "links");
        return NULL;
    }
    *slot = (struct reload_slot){
        .used = true,
        .generation = (slot->generation + 1) & 7,
        .link = link,
        .type = info->type,
        .node_ids = ids,
        .node_id_count = info->node_id_count,
        .inbound = info->inbound,
        .bootstrap = info->bootstrap,
        .mtu = info->mtu,
        .up_since_ms = node->now.monotonic_ms,
        .surplus.kind = RELOAD_TIMER_SURPLUS_LINK,
    };
    node->connections.count++;
    return slot;
}

/* Of several links to one node, makes this the one that is used, in place of `before` (NULL: there
 * was none), and tells the topology what that changes for it. */
static void prefer(struct reload_node *node, struct reload_slot *slot, struct reload_slot *before)
{
    bool known = before && !before->dismissed;
    if (before)
        before->preferred = false;
    slot->preferred = true;
    reload_timer_clear(&node->timers, &slot->surplus);
    if (!slot->suspect && (!known || before->suspect))
        node->ops->link_up(node->topology, &slot->node_id, node->now);
    else if (slot->suspect && known && !before->suspect)
        node->ops->link_down(node->topology, &slot->node_id, true, node->now);
}

static bool decides(const struct reload_node *node, const struct reload_slot *slot)
{
    return reload_node_id_compare(&node->self, &slot->node_id) > 0;
}

static void retire(struct reload_node *node, struct reload_slot *old)
{
    if (!decides(node, old))
        return;
    if (reload_timer_set(&node->timers, &old->surplus, node->now.monotonic_ms + SURPLUS_MS) != 0)
        reload_connection_close(node, old, "superfluous link");
}

static void tell_bootstrap(struct reload_node *node, struct reload_slot *slot)
{
    if (!slot->bootstrap)
        return;
    node->bootstrap = slot;
    node->ops->bootstrap(node->topology, &slot->node_id, node->now);
}

void reload_connection_bind(struct reload_node *node, struct reload_slot *slot,
                            const struct reload_node_id *id)
{
    if (reload_node_id_equal(id, &node->self)) {
        reload_connection_close(node, slot, "a link to this node itself");
        return;
    }
    if (reload_table_insert(&node->connections.by_node, id_hash(node, id), slot) != 0) {
        reload_drop(node, RELOAD_DROP_MEMORY, slot, "links");
        reload_connection_close(node, slot, "out of memory");
        return;
    }
    struct reload_slot *before = reload_connection_to(node, id);
    slot->node_id = *id;
    char text[RELOAD_NODE_ID_TEXT];
    reload_log_line(node, RELOAD_LOG_DEBUG, "link %u leads to %s%s", (unsigned)slot->link,
                    reload_node_id_text(id, text), before ? ", a second one" : "");
    prefer(node, slot, before);
    if (before)
        retire(node, before);
    reload_attach_bound(node, &slot->node_id);
    tell_bootstrap(node, slot);
    reload_transactions_depart(node);
}

void reload_connection_heard(struct reload_node *node, struct reload_slot *slot)
{
    slot->received++;
    if (!slot->node_id.len || slot->preferred || slot->surplus.place || decides(node, slot))
        return;
    struct reload_slot *used = reload_connection_to(node, &slot->node_id);
    if (!used || node->now.monotonic_ms >= used->up_since_ms + IN_FLIGHT_MS)
        prefer(node, slot, used);
}

void reload_connection_surplus_due(struct reload_node *node, struct reload_slot *slot)
{
    if (!slot->preferred)
        reload_connection_close(node, slot, "superfluous link");
}

void reload_connection_expect_second(struct reload_node *node, struct reload_slot *slot)
{
    slot->second_until_ms = node->now.monotonic_ms + SECOND_MS;
}

/* Of the several nodes that could be at the far end, the one that our Attach went to over a link
 * that was there: now it dials (s6.5.1.13). */
static const struct reload_node_id *expected(const struct reload_node *node,
                                             const struct reload_slot *slot)
{
    for (size_t i = 0; i < slot->node_id_count; i++) {
        const struct reload_slot *other = reload_connection_to(node, &slot->node_ids[i]);
        if (other && node->now.monotonic_ms < other->second_until_ms)
            return &slot->node_ids[i];
    }
    return NULL;
}

/* Which node the link is for: what an Attach waited for, else the only one it can be. What remains
 * open of a link that this node dialled is asked. */
static int find_node_id(struct reload_node *node, struct reload_slot *slot,
                        const struct reload_node_link *info, struct reload_node_id *id)
{
    int e = reload_attach_link_up(node, slot, info->attach, id);
    if (e != 0 || id->len || !info->inbound)
        return e;
    const struct reload_node_id *it =
        slot->node_id_count == 1 ? &slot->node_ids[0] : expected(node, slot);
    if (it)
        *id = *it;
    return 0;
}

void reload_connection_up(struct reload_node *node, reload_link_id link,
                          const struct reload_node_link *info)
{
    if (reload_connection_of_link(node, link))
        return;
    struct reload_slot *slot = info->node_id_count ? fill_slot(node, link, info) : NULL;
    if (!slot) {
        refuse_link(node, link, "no room for another link");
        return;
    }
    struct reload_node_id id = { 0 };
    if (find_node_id(node, slot, info, &id) != 0) {
        /* s6.5.1.11: the certificate does not match the node that was attached to. */
        reload_drop(node, RELOAD_DROP_IDENTITY, slot, "link of another node than agreed");
        reload_connection_close(node, slot, "the certificate is not that of the node agreed on");
        return;
    }
    if (id.len)
        reload_connection_bind(node, slot, &id);
    else if (!info->inbound)
        reload_introduce(node, slot);
}

void reload_connection_suspect(struct reload_node *node, reload_link_id link, bool suspect)
{
    struct reload_slot *slot = reload_connection_of_link(node, link);
    if (!slot || slot->suspect == suspect)
        return;
    slot->suspect = suspect;
    char text[RELOAD_NODE_ID_TEXT];
    reload_log_line(node, RELOAD_LOG_DEBUG, "link %u to %s %s", (unsigned)slot->link,
                    reload_node_id_text(&slot->node_id, text),
                    suspect ? "misses acks" : "is acknowledged again");
    if (!slot->preferred || slot->dismissed)
        return;
    if (!suspect) {
        node->ops->link_up(node->topology, &slot->node_id, node->now);
        return;
    }
    node->ops->link_down(node->topology, &slot->node_id, true, node->now);
    reload_transactions_detour(node, slot);
}

/* Another link to the same node, when the preferred one is gone: the newest. */
static struct reload_slot *heir(const struct reload_node *node, const struct reload_node_id *id)
{
    size_t place = 0;
    struct reload_slot *slot, *best = NULL;
    while ((slot = reload_table_next(&node->connections.by_node, id_hash(node, id), &place)))
        if (reload_node_id_equal(&slot->node_id, id) &&
            (!best || slot->up_since_ms >= best->up_since_ms))
            best = slot;
    return best;
}

static void lose_node(struct reload_node *node, struct reload_slot *slot)
{
    reload_table_remove(&node->connections.by_node, id_hash(node, &slot->node_id), slot);
    if (!slot->preferred)
        return;
    slot->preferred = false;
    struct reload_slot *other = heir(node, &slot->node_id);
    if (other)
        prefer(node, other, slot);
    else
        node->ops->link_down(node->topology, &slot->node_id, false, node->now);
}

void reload_connection_down(struct reload_node *node, reload_link_id link)
{
    struct reload_slot *slot = reload_connection_of_link(node, link);
    if (!slot)
        return;
    reload_table_remove(&node->connections.by_link, link_hash(node, link), slot);
    reload_timer_clear(&node->timers, &slot->surplus);
    bool unbound_bootstrap = slot->bootstrap && !slot->node_id.len;
    if (slot->node_id.len)
        lose_node(node, slot);
    if (node->bootstrap == slot) /* another link to the same node will do */
        node->bootstrap = reload_connection_to(node, &slot->node_id);
    reload_free(slot->node_ids);
    *slot = (struct reload_slot){ .generation = slot->generation };
    node->connections.count--;
    if (unbound_bootstrap)
        node->ops->bootstrap(node->topology, NULL, node->now);
    reload_transactions_reconsider(node);
}

struct reload_slot *reload_slot_of_timer(struct reload_timer *timer)
{
    return (struct reload_slot *)((uint8_t *)timer - offsetof(struct reload_slot, surplus));
}
