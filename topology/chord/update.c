#include "reload/wire/error.h"
#include "reload/wire/message.h"
#include "topology/chord/instance.h"

/* Updates (RFC 6940 s10.7): what others tell (s10.7.3), and what this peer tells them. */

/* --- receiving --- */

/* The nearest entries of a received list, nearest first. The RFC fixes no order for them, and a
 * list may be long, hold its sender, or nonsense. `before`: distances run backwards from `from`. */
static size_t nearest(struct reload_slice list, struct reload_chord_id from, bool before,
                      struct reload_chord_id *out)
{
    size_t count = 0;
    struct reload_reader r = reload_reader_over(list);
    struct reload_node_id node_id;
    while (reload_node_id_next(&r, RELOAD_CHORD_ID_LEN, &node_id)) {
        struct reload_chord_id id = reload_chord_id_of(&node_id);
        if (reload_node_id_is_wildcard(&node_id) || reload_chord_id_equal(id, from))
            continue;
        size_t at = count;
        while (at > 0 && (before ? reload_chord_between(id, out[at - 1], from)
                                 : reload_chord_between(id, from, out[at - 1])))
            at--;
        if (at == RELOAD_CHORD_LIST_MAX || (at > 0 && reload_chord_id_equal(out[at - 1], id)))
            continue;
        if (count < RELOAD_CHORD_LIST_MAX)
            count++;
        memmove(&out[at + 1], &out[at], (count - 1 - at) * sizeof *out);
        out[at] = id;
    }
    return count;
}

static void note_lists(struct reload_chord_peer *peer, const struct reload_chord_update *update)
{
    peer->told = update->type != RELOAD_CHORD_UPDATE_PEER_READY;
    if (update->type != RELOAD_CHORD_UPDATE_FULL)
        peer->neighborly = update->type == RELOAD_CHORD_UPDATE_NEIGHBORS;
    if (!peer->told)
        return;
    peer->lists.predecessor_count =
        nearest(update->predecessors, peer->id, true, peer->lists.predecessors);
    peer->lists.successor_count =
        nearest(update->successors, peer->id, false, peer->lists.successors);
}

uint16_t reload_chord_handle_update(struct reload_topology *t,
                                    const struct reload_topology_message *message,
                                    struct reload_writer *body)
{
    struct reload_chord_update update;
    if (reload_chord_update_decode(message->body, RELOAD_CHORD_ID_LEN, &update) != 0)
        return reload_chord_refuse(body, RELOAD_ERROR_INVALID_MESSAGE, "malformed Update");
    struct reload_chord_id id = reload_chord_id_of(message->signer);
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    /* No link: it cannot enter a table (s10.7), and strangers give no hints. By another way than
     * its link: whoever brings it may have recorded it, as a signature covers no time (s6.3.4). */
    if (!peer || !message->direct)
        return 0;
    struct reload_chord_lists before = peer->lists;
    note_lists(peer, &update);
    struct reload_chord_lists told = peer->lists;
    bool with_lists = peer->told;
    peer->ready = true; /* s4.4: into the Routing Table */
    reload_chord_unshun(t, id);
    reload_chord_candidate_decided(t, id);
    reload_chord_check_heard(t, id);
    reload_chord_changed(t, false);
    reload_chord_join_told(t, id);
    if (with_lists) {
        reload_chord_check_dropped(t, id, &before, &told);
        reload_chord_consider_lists(t, id, &told);
    }
    return 0;
}

/* --- sending --- */

static void write_list(uint8_t *bytes, const struct reload_chord_id *ids, size_t count,
                       struct reload_slice *out)
{
    struct reload_writer w = reload_writer_of(bytes, count * RELOAD_CHORD_ID_LEN);
    for (size_t i = 0; i < count; i++) {
        struct reload_node_id node_id = reload_chord_id_node(ids[i]);
        reload_wr_node_id(&w, &node_id);
    }
    *out = reload_writer_slice(&w);
}

/* The Finger Table in numerically ascending order (RFC 6940 s10.7). */
static size_t ascending_fingers(const struct reload_topology *t, struct reload_chord_id *out)
{
    size_t count = 0;
    for (unsigned i = 1; i <= RELOAD_CHORD_ID_BITS; i++) {
        const struct reload_chord_peer *finger = reload_chord_tables_finger(&t->tables, i);
        if (!finger)
            continue;
        size_t at = count++;
        for (; at > 0 && reload_chord_id_less(finger->id, out[at - 1]); at--)
            out[at] = out[at - 1];
        out[at] = finger->id;
    }
    return count;
}

static uint32_t uptime_s(const struct reload_topology *t)
{
    uint64_t s = (t->now_ms - t->start_ms) / 1000;
    return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

void reload_chord_send_update(struct reload_topology *t, struct reload_chord_id to, uint8_t type)
{
    const struct reload_chord_lists *lists = &t->tables.lists;
    uint8_t predecessors[RELOAD_CHORD_LIST_MAX * RELOAD_CHORD_ID_LEN];
    uint8_t successors[RELOAD_CHORD_LIST_MAX * RELOAD_CHORD_ID_LEN];
    uint8_t fingers[RELOAD_CHORD_ID_BITS * RELOAD_CHORD_ID_LEN];
    uint8_t body[sizeof predecessors + sizeof successors + sizeof fingers + 16];
    struct reload_chord_update update = { .uptime_s = uptime_s(t), .type = type };
    if (type != RELOAD_CHORD_UPDATE_PEER_READY) {
        write_list(predecessors, lists->predecessors, lists->predecessor_count,
                   &update.predecessors);
        write_list(successors, lists->successors, lists->successor_count, &update.successors);
    }
    if (type == RELOAD_CHORD_UPDATE_FULL) {
        struct reload_chord_id ids[RELOAD_CHORD_ID_BITS];
        write_list(fingers, ids, ascending_fingers(t, ids), &update.fingers);
    }
    struct reload_writer w = reload_writer_of(body, sizeof body);
    if (reload_chord_update_encode(&w, &update) != 0)
        return;
    uint32_t cookie = reload_chord_cookie(t, RELOAD_CHORD_FOR_UPDATE);
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, to);
    if (peer) {
        uint64_t interval_s = t->host->config(t->host->context)->chord_update_interval_s;
        peer->owed = 0;
        peer->update_cookie = cookie;
        peer->update_due_ms = t->now_ms + reload_chord_around(t, 1000 * interval_s);
    }
    reload_chord_request(t, RELOAD_UPDATE_REQ, to, reload_writer_slice(&w), cookie);
}

uint8_t reload_chord_update_type(const struct reload_topology *t,
                                 const struct reload_chord_peer *peer)
{
    /* s10.7: neighbors to neighbours. Clients and joining nodes get it too: it tells them whether
     * this peer is still responsible for them (s4.2.1, s6.4.1). */
    if (!peer->ready || reload_chord_lists_hold(&t->tables.lists, peer->id))
        return RELOAD_CHORD_UPDATE_NEIGHBORS;
    return RELOAD_CHORD_UPDATE_PEER_READY;
}

void reload_chord_announce(struct reload_topology *t, bool all, bool lost)
{
    uint64_t settle_ms = lost ? RELOAD_CHORD_SETTLE_LOST_MS : RELOAD_CHORD_SETTLE_MS;
    uint64_t due_ms = t->now_ms + reload_chord_around(t, settle_ms);
    t->announce_range = t->announce_range || all;
    if (due_ms < t->announce_due_ms)
        t->announce_due_ms = due_ms;
}

static void owe_all(struct reload_topology *t)
{
    for (size_t i = 0; i < t->tables.count; i++) {
        struct reload_chord_peer *peer = &t->tables.peers[i];
        bool neighbour = reload_chord_lists_hold(&t->tables.lists, peer->id);
        if (!peer->owed && (t->announce_range || neighbour))
            peer->owed = reload_chord_update_type(t, peer);
    }
    t->announce_due_ms = RELOAD_NEVER;
    t->announce_range = false;
}

/* s10.5: no Update leaves before this peer is in the ring. What is owed is kept until then. */
void reload_chord_updates_tick(struct reload_topology *t)
{
    if (t->state != RELOAD_CHORD_JOINED || reload_chord_is_client(t))
        return;
    if (t->announce_due_ms <= t->now_ms)
        owe_all(t);
    for (size_t i = 0; i < t->tables.count; i++) {
        struct reload_chord_peer *peer = &t->tables.peers[i];
        if (!peer->owed && peer->ready && peer->update_due_ms <= t->now_ms)
            peer->owed = reload_chord_update_type(t, peer); /* s10.7.4.1 */
        if (peer->owed)
            reload_chord_send_update(t, peer->id, peer->owed);
    }
}

uint64_t reload_chord_updates_deadline(const struct reload_topology *t)
{
    if (t->state != RELOAD_CHORD_JOINED || reload_chord_is_client(t))
        return RELOAD_NEVER;
    uint64_t deadline = t->announce_due_ms;
    for (size_t i = 0; i < t->tables.count; i++) {
        const struct reload_chord_peer *peer = &t->tables.peers[i];
        if (peer->owed)
            return t->now_ms;
        if (peer->ready && peer->update_due_ms < deadline)
            deadline = peer->update_due_ms;
    }
    return deadline;
}

/* s10.7.1: a peer that does not answer has failed, whatever its link looks like. Of a node that is
 * not known for a peer, as a client, only the link tells whether it is there. */
void reload_chord_update_answered(struct reload_topology *t,
                                  const struct reload_topology_answer *answer)
{
    if (answer->error != RELOAD_E_TIMEOUT)
        return;
    for (size_t i = 0; i < t->tables.count; i++) {
        if (t->tables.peers[i].update_cookie != answer->cookie)
            continue;
        if (t->tables.peers[i].ready)
            reload_chord_failed(t, t->tables.peers[i].id, "no answer to an Update");
        return;
    }
}
