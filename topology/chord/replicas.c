#include "topology/chord/instance.h"

/* The replica set: the next two nodes of the successor list (RFC 6940 s10.4, s10.7.3). */

#define RETRY_MS 10000 /* after a push that failed */

static const struct reload_chord_replica *find(const struct reload_chord_replica *set, size_t count,
                                               struct reload_chord_id id)
{
    for (size_t i = 0; i < count; i++)
        if (reload_chord_id_equal(set[i].id, id))
            return &set[i];
    return NULL;
}

static bool is_peer(const struct reload_topology *t, struct reload_chord_id id)
{
    const struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    return peer && peer->ready;
}

void reload_chord_replicas_follow(struct reload_topology *t)
{
    const struct reload_chord_lists *lists = &t->tables.lists;
    struct reload_chord_replica old[RELOAD_CHORD_REPLICAS];
    size_t old_count = t->replica_count;
    memcpy(old, t->replicas, sizeof old);
    if (!t->owner) {
        t->replica_count = 0;
        return;
    }
    /* RFC 6940 s10.7.1: the stand-in for a lost successor gets no replicas at once, since an Update
     * may soon tell of a better one. */
    uint64_t delay = RELOAD_CHORD_SETTLE_MS;
    for (size_t i = 0; i < old_count; i++)
        if (!is_peer(t, old[i].id))
            delay = RELOAD_CHORD_HOLD_DOWN_MS;
    t->replica_count = 0;
    for (size_t i = 0; i < RELOAD_CHORD_REPLICAS && i < lists->successor_count; i++) {
        const struct reload_chord_replica *known = find(old, old_count, lists->successors[i]);
        t->replicas[t->replica_count++] =
            known ? *known
                  : (struct reload_chord_replica){ .id = lists->successors[i],
                                                   .due_ms = t->now_ms + delay };
    }
    t->forget_due_ms = t->now_ms + RELOAD_CHORD_FORGET_MS;
}

/* Only the AP surely does: its own successors may have been waiting for theirs when it handed the
 * range over. */
void reload_chord_replicas_assume(struct reload_topology *t, struct reload_chord_id holder)
{
    for (size_t i = 0; i < t->replica_count; i++)
        if (reload_chord_id_equal(t->replicas[i].id, holder))
            t->replicas[i].synced = true;
}

void reload_chord_replica_pushed(struct reload_topology *t, uint32_t cookie, int error)
{
    bool known = false;
    for (size_t i = 0; i < t->replica_count; i++)
        known |= t->replicas[i].cookie == cookie;
    for (size_t i = 0; i < t->replica_count; i++) {
        struct reload_chord_replica *replica = &t->replicas[i];
        if (known && replica->cookie != cookie)
            continue;
        if (known)
            replica->cookie = 0;
        if (error != 0) { /* of a part of the range (range.c): whose it was is not known any more */
            replica->synced = false;
            replica->due_ms = t->now_ms + RETRY_MS;
        }
    }
}

void reload_chord_replica_failed(struct reload_topology *t, struct reload_chord_id holder)
{
    const struct reload_chord_lists *lists = &t->tables.lists;
    if (reload_chord_admission_missed(t, holder))
        return;
    /* Admitted while the Store was under way: it owns the value now. */
    if (lists->predecessor_count > 1 && reload_chord_id_equal(lists->predecessors[0], holder))
        reload_chord_handover_add(t, lists->predecessors[1], holder);
    for (size_t i = 0; i < t->replica_count; i++) {
        struct reload_chord_replica *replica = &t->replicas[i];
        if (!reload_chord_id_equal(replica->id, holder) || !replica->synced)
            continue;
        replica->synced = false;
        replica->due_ms = t->now_ms + RETRY_MS;
    }
}

/* RFC 6940 s10.7.3: with three predecessors between a resource and this peer, it is in no replica
 * set of that resource. Resources up to the third predecessor are in that case (docs/protocol.md).
 */
static void forget(struct reload_topology *t)
{
    const struct reload_chord_lists *lists = &t->tables.lists;
    t->forget_due_ms = RELOAD_NEVER;
    if (t->state != RELOAD_CHORD_JOINED || lists->predecessor_count < 3)
        return;
    if (reload_chord_handover_pending(t)) { /* this may be the only copy */
        t->forget_due_ms = t->now_ms + RELOAD_CHORD_FORGET_MS;
        return;
    }
    struct reload_node_id after = t->host->self;
    struct reload_node_id up_to = reload_chord_id_node(lists->predecessors[2]);
    t->host->forget(t->host->context, reload_node_id_slice(&after), reload_node_id_slice(&up_to));
}

void reload_chord_replicas_tick(struct reload_topology *t)
{
    for (size_t i = 0; i < t->replica_count; i++) {
        struct reload_chord_replica *replica = &t->replicas[i];
        if (replica->synced || replica->due_ms > t->now_ms || t->state != RELOAD_CHORD_JOINED)
            continue;
        replica->synced = true;
        replica->cookie = reload_chord_cookie(t, RELOAD_CHORD_FOR_REPLICA);
        reload_chord_push(t, t->range_after, t->self, &replica->id, (uint8_t)(i + 1),
                          replica->cookie);
    }
    if (t->forget_due_ms <= t->now_ms)
        forget(t);
}

uint64_t reload_chord_replicas_deadline(const struct reload_topology *t)
{
    uint64_t deadline = t->forget_due_ms;
    if (t->state != RELOAD_CHORD_JOINED)
        return deadline;
    for (size_t i = 0; i < t->replica_count; i++)
        if (!t->replicas[i].synced && t->replicas[i].due_ms < deadline)
            deadline = t->replicas[i].due_ms;
    return deadline;
}

/* A node with a link, at a place of the predecessor list. One that has just been admitted may have
 * values to replicate before its first Update is here. */
static bool in_place_of_predecessor(const struct reload_topology *t, struct reload_chord_id id)
{
    const struct reload_chord_lists *lists = &t->tables.lists;
    if (!reload_chord_tables_find(&t->tables, id))
        return false;
    if (lists->predecessor_count < t->tables.list_size)
        return true;
    struct reload_chord_id last = lists->predecessors[lists->predecessor_count - 1];
    return reload_chord_id_equal(id, last) || reload_chord_between(id, last, t->self);
}

/* RFC 6940 s10.4: a replica comes from a predecessor and lies in its range. Where that range begins
 * the predecessor knows best, as it is the first to see its own predecessors go; that it ends at
 * the predecessor holds always. Data handed over to its owner (s6.4.2.3) comes from peers, near or
 * far: who lost a range when two rings became one need not be a neighbour. A node that is linked
 * here and has sent no Update is no peer, and is refused. Each value's own signature says whether
 * it may be here. To a joining node data comes from its AP (s10.5). */
bool reload_chord_replica_plausible(const struct reload_topology *t,
                                    struct reload_chord_id resource, struct reload_chord_id sender)
{
    if (reload_chord_is_client(t))
        return false;
    if (!t->owner)
        return t->has_ap && reload_chord_id_equal(sender, t->ap);
    if (reload_chord_owns(t, resource))
        return is_peer(t, sender) || !reload_chord_tables_find(&t->tables, sender);
    return in_place_of_predecessor(t, sender) && !reload_chord_within(resource, sender, t->self);
}
