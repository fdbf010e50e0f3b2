#include "topology/chord/instance.h"

/* Responsibility (RFC 6940 s10.1) and the data that moves when it does (s6.4.2.3, s10.7.3). */

bool reload_chord_owns(const struct reload_topology *t, struct reload_chord_id id)
{
    return t->owner && reload_chord_within(id, t->range_after, t->self);
}

void reload_chord_push(struct reload_topology *t, struct reload_chord_id after,
                       struct reload_chord_id up_to, const struct reload_chord_id *target,
                       uint8_t number, uint32_t cookie)
{
    struct reload_node_id from = reload_chord_id_node(after), to = reload_chord_id_node(up_to);
    struct reload_topology_push push = {
        .after = reload_node_id_slice(&from),
        .up_to = reload_node_id_slice(&to),
        .replica_number = number,
        .cookie = cookie,
    };
    if (target)
        push.target = reload_chord_id_node(*target);
    t->host->push(t->host->context, &push);
}

/* Where the own range begins: the previous peer of the Neighbor Table; self when there is none. A
 * peer that was just admitted does not take the range of a predecessor that its AP named and whose
 * Update is still to come. */
static struct reload_chord_id predecessor(const struct reload_topology *t)
{
    struct reload_chord_id nearest = t->self;
    if (t->tables.lists.predecessor_count > 0)
        nearest = t->tables.lists.predecessors[0];
    for (size_t i = 0; i < t->candidate_count; i++) {
        const struct reload_chord_candidate *c = &t->candidates[i];
        if (c->named && reload_chord_between(c->id, nearest, t->self))
            nearest = c->id;
    }
    return nearest;
}

/* RFC 6940 s6.4.2.3: data that is no longer ours goes to the peers now responsible; but not to a
 * node that has just been given it (s10.5). */
static void hand_over(struct reload_topology *t, struct reload_chord_id old)
{
    if (!t->has_admitted || !reload_chord_id_equal(t->range_after, t->admitted))
        reload_chord_handover_add(t, old, t->range_after);
}

/* A predecessor is gone: what it owned is ours, and the own replica set is its new one. */
static void replicate_won(struct reload_topology *t, struct reload_chord_id old)
{
    const struct reload_chord_lists *lists = &t->tables.lists;
    for (size_t i = 0; i < RELOAD_CHORD_REPLICAS && i < lists->successor_count; i++)
        reload_chord_push(t, t->range_after, old, &lists->successors[i], (uint8_t)(i + 1),
                          reload_chord_cookie(t, RELOAD_CHORD_FOR_REPLICA));
}

void reload_chord_range_take(struct reload_topology *t)
{
    if (t->owner) {
        reload_chord_range_follow(t);
        return;
    }
    t->owner = true;
    t->range_after = predecessor(t);
    reload_chord_replicas_follow(t);
    if (!reload_chord_id_equal(t->range_after, t->self)) /* a store that outlived its peer */
        reload_chord_handover_add(t, t->self, t->range_after);
}

void reload_chord_range_follow(struct reload_topology *t)
{
    struct reload_chord_id old = t->range_after, now = predecessor(t);
    if (!t->owner || reload_chord_id_equal(old, now))
        return;
    t->range_after = now;
    bool shrinks = !reload_chord_id_equal(now, t->self) && reload_chord_within(now, old, t->self);
    if (shrinks)
        hand_over(t, old);
    else if (t->state != RELOAD_CHORD_INTRODUCE)
        replicate_won(t, old);
    reload_chord_announce(t, true, false); /* RFC 6940 s10.7.3: to all of the Connection Table */
}
