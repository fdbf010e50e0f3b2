#include "topology/chord/instance.h"

/* Stabilization (RFC 6940 s10.7.4) besides the periodic Updates (update.c) and the finger search
 * (fingers.c): the length of the lists, partition detection, links that nobody needs. */

#define LINKS_MS 15000 /* between looks at the links */
#define PARTITION_MS                                                                               \
    120000 /* between looks for another ring; the RFC leaves it open, s10.7.4.4                    \
            */

static uint64_t interval_ms(struct reload_topology *t, bool ping)
{
    const struct reload_config *config = t->host->config(t->host->context);
    uint64_t s = ping ? config->chord_ping_interval_s : config->chord_update_interval_s;
    return reload_chord_around(t, 1000 * s);
}

void reload_chord_stabilize_start(struct reload_topology *t)
{
    t->stabilize_due_ms = t->now_ms + interval_ms(t, false);
    t->search_due_ms = t->now_ms + interval_ms(t, true);
    t->partition_due_ms = t->now_ms + reload_chord_around(t, PARTITION_MS);
    t->links_due_ms = t->now_ms + LINKS_MS;
}

/* RFC 6940 s10.7: O(log N) neighbours on each side. Only here, so that the lists do not change
 * their length with every peer that comes. */
static void size_lists(struct reload_topology *t)
{
    size_t wanted = reload_chord_tables_log2_size(&t->tables);
    wanted = wanted > 1 ? wanted - 1 : 0;
    if (wanted < RELOAD_CHORD_LIST_MIN)
        wanted = RELOAD_CHORD_LIST_MIN;
    if (wanted > RELOAD_CHORD_LIST_MAX)
        wanted = RELOAD_CHORD_LIST_MAX;
    t->tables.list_size = wanted;
    reload_chord_changed(t, false);
    reload_chord_repair(t);
}

/* --- partition detection, s10.7.4.4 --- */

void reload_chord_partition_bootstrap(struct reload_topology *t,
                                      const struct reload_node_id *node_id)
{
    t->partition_check = false;
    if (!node_id || reload_node_id_equal(node_id, &t->host->self))
        return;
    /* "Its own Node-ID" as a resource, and the one after it: as a node it would come to us, and as
     * a resource this peer owns it. Whoever answers thinks it is our successor (docs/protocol.md).
     */
    struct reload_chord_id via = reload_chord_id_of(node_id);
    reload_chord_ping(t, &via, true, reload_chord_id_next(t->self),
                      reload_chord_cookie(t, RELOAD_CHORD_FOR_PARTITION));
}

/* Another successor answers: attach to it over the bootstrap node. The Update that follows each new
 * link, and its own stabilization, weave the rings together. */
void reload_chord_partition_answered(struct reload_topology *t,
                                     const struct reload_topology_answer *answer)
{
    if (answer->error != 0 || answer->signer.len != RELOAD_CHORD_ID_LEN)
        return;
    struct reload_chord_id id = reload_chord_id_of(&answer->signer);
    const struct reload_chord_lists *lists = &t->tables.lists;
    if (lists->successor_count > 0 && reload_chord_id_equal(lists->successors[0], id))
        return;
    reload_chord_log(t, RELOAD_LOG_INFO, "another successor answers over a bootstrap node:", id);
    reload_chord_attach_node(t, id, t->has_bootstrap ? &t->bootstrap : NULL);
}

/* --- links --- */

static bool needed(const struct reload_topology *t, const struct reload_chord_peer *peer)
{
    if (!peer->opened || peer->neighborly) /* the far end wished it, or counts on us */
        return true;
    if (t->has_ap && reload_chord_is_client(t))
        return reload_chord_id_equal(peer->id, t->ap);
    if (!peer->ready)
        return false;
    unsigned i = reload_chord_finger_of(reload_chord_distance(t->self, peer->id));
    return reload_chord_lists_hold(&t->tables.lists, peer->id) ||
           reload_chord_tables_finger(&t->tables, i) == peer;
}

static void close_unneeded(struct reload_topology *t)
{
    size_t kept = reload_chord_is_client(t) ? 1 : RELOAD_CHORD_LINKS_KEPT;
    for (size_t i = 0; i < t->tables.count; i++)
        if (needed(t, &t->tables.peers[i]))
            t->tables.peers[i].needed_ms = t->now_ms;
    for (size_t i = t->tables.count; i > 0 && t->tables.count > kept; i--) {
        struct reload_chord_peer *peer = &t->tables.peers[i - 1];
        if (peer->needed_ms + RELOAD_CHORD_UNNEEDED_MS > t->now_ms)
            continue;
        struct reload_node_id node_id = reload_chord_id_node(peer->id);
        if (t->has_bootstrap && reload_chord_id_equal(peer->id, t->bootstrap))
            t->has_bootstrap = false;
        t->host->disconnect(t->host->context, &node_id);
        reload_chord_tables_remove(&t->tables, peer->id);
    }
    reload_chord_changed(t, false);
}

void reload_chord_stabilize_tick(struct reload_topology *t)
{
    if (t->state != RELOAD_CHORD_JOINED)
        return;
    if (t->links_due_ms <= t->now_ms) {
        t->links_due_ms = t->now_ms + LINKS_MS;
        close_unneeded(t);
    }
    if (reload_chord_is_client(t))
        return;
    if (t->stabilize_due_ms <= t->now_ms) {
        t->stabilize_due_ms = t->now_ms + interval_ms(t, false);
        size_lists(t);
    }
    if (t->partition_due_ms <= t->now_ms) {
        t->partition_due_ms = t->now_ms + reload_chord_around(t, PARTITION_MS);
        t->partition_check = true;
        t->host->want_bootstrap(t->host->context);
    }
}

uint64_t reload_chord_stabilize_deadline(const struct reload_topology *t)
{
    if (t->state != RELOAD_CHORD_JOINED)
        return RELOAD_NEVER;
    uint64_t deadline = t->links_due_ms;
    if (reload_chord_is_client(t))
        return deadline;
    if (t->stabilize_due_ms < deadline)
        deadline = t->stabilize_due_ms;
    return t->partition_due_ms < deadline ? t->partition_due_ms : deadline;
}
