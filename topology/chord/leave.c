#include "reload/wire/error.h"
#include "reload/wire/join.h"
#include "reload/wire/message.h"
#include "topology/chord/instance.h"

/* Leaving (RFC 6940 s10.9, s6.4.2.2). */

/* --- others leave --- */

/* What the leaving peer saw beyond itself are the next candidates for its place. */
static void consider_its_neighbours(struct reload_topology *t, struct reload_chord_id id,
                                    struct reload_slice neighbors)
{
    struct reload_reader r = reload_reader_over(neighbors);
    struct reload_node_id node_id;
    for (unsigned i = 0;
         i < RELOAD_CHORD_LIST_MAX && reload_node_id_next(&r, RELOAD_CHORD_ID_LEN, &node_id); i++)
        if (!reload_node_id_is_wildcard(&node_id))
            reload_chord_consider(t, reload_chord_id_of(&node_id), id);
}

uint16_t reload_chord_handle_leave(struct reload_topology *t,
                                   const struct reload_topology_message *message,
                                   struct reload_writer *body)
{
    struct reload_leave_req req;
    struct reload_chord_leave leave = { 0 };
    if (reload_leave_req_decode(message->body, RELOAD_CHORD_ID_LEN, &req) != 0)
        return reload_chord_refuse(body, RELOAD_ERROR_INVALID_MESSAGE, "malformed LeaveReq");
    /* s10.9; who says nothing of its neighbours leaves all the same */
    if (req.overlay_specific_data.n &&
        reload_chord_leave_decode(req.overlay_specific_data, RELOAD_CHORD_ID_LEN, &leave) != 0)
        return reload_chord_refuse(body, RELOAD_ERROR_INVALID_MESSAGE, "malformed ChordLeaveData");
    /* RFC 6940 s6.4.2.2: the signer is the leaving peer, and the link is bound to it. */
    if (!reload_node_id_equal(&req.leaving_peer_id, message->signer))
        return reload_chord_refuse(body, RELOAD_ERROR_FORBIDDEN,
                                   "leaving_peer_id is not the signer");
    if (!message->direct || !message->previous_hop ||
        !reload_node_id_equal(message->previous_hop, message->signer))
        return reload_chord_refuse(body, RELOAD_ERROR_FORBIDDEN,
                                   "Leave did not come over the leaver's link");
    struct reload_chord_id id = reload_chord_id_of(&req.leaving_peer_id);
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    if (!peer)
        return 0;
    /* s10.9: as a failure (s10.7.1), but its link serves until it closes it. */
    peer->ready = false;
    peer->opened = true;
    reload_chord_shun(t, id, RELOAD_CHORD_SHUN_MS);
    reload_chord_admission_drop(t, id);
    reload_chord_changed(t, false);
    consider_its_neighbours(t, id, leave.neighbors);
    reload_chord_repair(t);
    reload_chord_finger_failed(t, id);
    if (t->has_ap && reload_chord_id_equal(id, t->ap)) {
        t->has_ap = false;
        reload_chord_step(t, RELOAD_CHORD_AP_LOST);
    }
    return 0;
}

/* --- this peer leaves --- */

static void send_leave(struct reload_topology *t, const struct reload_chord_peer *peer)
{
    const struct reload_chord_lists *lists = &t->tables.lists;
    /* Nearer clockwise: we are its predecessor. */
    struct reload_chord_id ahead = reload_chord_distance(t->self, peer->id);
    struct reload_chord_id behind = reload_chord_distance(peer->id, t->self);
    bool from_pred = reload_chord_id_less(ahead, behind);
    const struct reload_chord_id *ids = from_pred ? lists->predecessors : lists->successors;
    size_t count = from_pred ? lists->predecessor_count : lists->successor_count;

    uint8_t list[RELOAD_CHORD_LIST_MAX * RELOAD_CHORD_ID_LEN], data[sizeof list + 8],
        body[sizeof data + 64];
    struct reload_writer neighbors = reload_writer_of(list, sizeof list);
    for (size_t i = 0; i < count; i++) {
        struct reload_node_id id = reload_chord_id_node(ids[i]);
        reload_wr_node_id(&neighbors, &id);
    }
    struct reload_chord_leave leave = {
        .type = from_pred ? RELOAD_CHORD_LEAVE_FROM_PRED : RELOAD_CHORD_LEAVE_FROM_SUCC,
        .neighbors = reload_writer_slice(&neighbors),
    };
    struct reload_writer d = reload_writer_of(data, sizeof data);
    struct reload_writer w = reload_writer_of(body, sizeof body);
    if (reload_chord_leave_encode(&d, &leave) != 0)
        return;
    struct reload_leave_req req = { t->host->self, reload_writer_slice(&d) };
    if (reload_leave_req_encode(&w, &req) != 0)
        return;
    reload_chord_request(t, RELOAD_LEAVE_REQ, peer->id, reload_writer_slice(&w),
                         reload_chord_cookie(t, RELOAD_CHORD_FOR_LEAVE));
    t->leaves_out++;
}

/* RFC 6940 s6.4.2.2: to each peer that is directly connected, and not known to be silent. */
static void send_leaves(struct reload_topology *t)
{
    t->owner = false;
    for (size_t i = 0; i < t->tables.count; i++)
        if (t->tables.peers[i].ready && !t->tables.peers[i].lost)
            send_leave(t, &t->tables.peers[i]);
    if (t->leaves_out == 0)
        reload_chord_step(t, RELOAD_CHORD_DONE);
}

/* First everything to the successor, which owns it next. Its replica should be there already; a
 * store that is asked to take what it has does nothing. */
void reload_chord_leave_begin(struct reload_topology *t)
{
    t->has_ap = t->has_bootstrap = false;
    t->leaves_out = 0;
    t->leave_cookie = 0;
    t->announce_due_ms = RELOAD_NEVER;
    if (!t->owner || t->tables.lists.successor_count == 0) {
        send_leaves(t);
        return;
    }
    t->leave_cookie = reload_chord_cookie(t, RELOAD_CHORD_FOR_LEAVE);
    reload_chord_push(t, t->range_after, t->self, &t->tables.lists.successors[0], 1,
                      t->leave_cookie);
}

void reload_chord_leave_pushed(struct reload_topology *t, uint32_t cookie)
{
    if (t->state != RELOAD_CHORD_LEAVING || cookie != t->leave_cookie)
        return;
    t->leave_cookie = 0;
    send_leaves(t);
}

void reload_chord_leave_answered(struct reload_topology *t)
{
    if (t->state == RELOAD_CHORD_LEAVING && t->leaves_out > 0 && --t->leaves_out == 0)
        reload_chord_step(t, RELOAD_CHORD_DONE);
}
