#include "reload/wire/error.h"
#include "reload/wire/join.h"
#include "reload/wire/message.h"
#include "topology/chord/instance.h"

/* The Admitting Peer (RFC 6940 s10.5 steps 5 to 8): one joining node at a time gets the data of its
 * range and then the Update that makes it the predecessor. Others wait their turn; whoever finds
 * then that this peer is no longer the right one learns so from the Update of the one before. */

#define PUSH_MS 60000

/* Our own range, or already our predecessor: a repeated Join is no mistake. */
static bool admissible(const struct reload_topology *t, struct reload_chord_id id)
{
    if (!t->owner || reload_chord_id_equal(id, t->self))
        return false;
    return reload_chord_owns(t, id) || reload_chord_id_equal(id, t->range_after);
}

static bool queued(const struct reload_topology *t, struct reload_chord_id id)
{
    for (size_t i = 0; i < t->admission_count; i++)
        if (reload_chord_id_equal(t->admissions[i].id, id))
            return true;
    return false;
}

uint16_t reload_chord_handle_join(struct reload_topology *t,
                                  const struct reload_topology_message *message,
                                  struct reload_writer *body)
{
    struct reload_join_req req;
    if (reload_join_req_decode(message->body, RELOAD_CHORD_ID_LEN, &req) != 0)
        return reload_chord_refuse(body, RELOAD_ERROR_INVALID_MESSAGE, "malformed JoinReq");
    /* RFC 6940 s6.4.2.1: the signer is the joining peer, and the link is bound to it. */
    if (!reload_node_id_equal(&req.joining_peer_id, message->signer))
        return reload_chord_refuse(body, RELOAD_ERROR_FORBIDDEN,
                                   "joining_peer_id is not the signer");
    if (!message->direct || !message->previous_hop ||
        !reload_node_id_equal(message->previous_hop, message->signer))
        return reload_chord_refuse(body, RELOAD_ERROR_FORBIDDEN,
                                   "Join did not come over the joiner's link");
    struct reload_chord_id id = reload_chord_id_of(&req.joining_peer_id);
    if (reload_chord_is_client(t) || !admissible(t, id))
        return reload_chord_refuse(body, RELOAD_ERROR_NOT_FOUND,
                                   "not responsible for the joining peer");
    if (!queued(t, id)) {
        if (t->admission_count == RELOAD_CHORD_ADMISSIONS_MAX)
            return reload_chord_refuse(body, RELOAD_ERROR_IN_PROGRESS,
                                       "too many peers are joining here");
        t->admissions[t->admission_count++] = (struct reload_chord_admission){ .id = id };
    }
    struct reload_join_ans ans = { .overlay_specific_data = { NULL, 0 } };
    if (reload_join_ans_encode(body, &ans) != 0)
        return RELOAD_ERROR_RESPONSE_TOO_LARGE;
    return 0;
}

void reload_chord_admission_drop(struct reload_topology *t, struct reload_chord_id id)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->admission_count; i++)
        if (!reload_chord_id_equal(t->admissions[i].id, id))
            t->admissions[kept++] = t->admissions[i];
    t->admission_count = kept;
}

bool reload_chord_admission_takes(const struct reload_topology *t, struct reload_chord_id resource,
                                  struct reload_chord_id *joining)
{
    if (t->admission_count == 0 || t->admissions[0].cookie == 0)
        return false;
    *joining = t->admissions[0].id;
    return !reload_chord_id_equal(*joining, t->range_after) &&
           reload_chord_within(resource, t->range_after, *joining);
}

bool reload_chord_admission_missed(struct reload_topology *t, struct reload_chord_id id)
{
    if (t->admission_count == 0 || t->admissions[0].cookie == 0 ||
        !reload_chord_id_equal(t->admissions[0].id, id))
        return false;
    t->admissions[0].again = true;
    return true;
}

/* Tells a node our tables at the next tick. */
static void owe(struct reload_topology *t, struct reload_chord_id id)
{
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    if (peer)
        peer->owed = RELOAD_CHORD_UPDATE_NEIGHBORS;
}

/* s10.5 steps 7 and 8. The order of the two Updates is the RFC's: the joining node first. */
static void admit(struct reload_topology *t, struct reload_chord_id id)
{
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    if (!peer)
        return;
    peer->ready = true;
    t->admitted = id;
    t->has_admitted = true;
    reload_chord_changed(t, false);
    t->has_admitted = false;
    reload_chord_send_update(t, id, RELOAD_CHORD_UPDATE_NEIGHBORS);
    reload_chord_announce(t, true, false);
}

/* s10.5 step 6: all data in (predecessor, joining node]. */
static void push(struct reload_topology *t, struct reload_chord_admission *admission)
{
    admission->cookie = reload_chord_cookie(t, RELOAD_CHORD_FOR_ADMISSION);
    admission->until_ms = t->now_ms + PUSH_MS;
    admission->again = false;
    reload_chord_push(t, t->range_after, admission->id, &admission->id, 1, admission->cookie);
}

void reload_chord_admissions_go_on(struct reload_topology *t)
{
    while (t->state == RELOAD_CHORD_JOINED && t->admission_count > 0) {
        struct reload_chord_admission *head = &t->admissions[0];
        struct reload_chord_id id = head->id;
        const struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
        if (head->cookie != 0 && peer && head->until_ms > t->now_ms)
            return; /* its data is on the way */
        if (head->cookie == 0 && peer && admissible(t, id) &&
            !reload_chord_id_equal(id, t->range_after)) {
            push(t, head);
            return;
        }
        owe(t, id); /* a predecessor already, or not ours to admit: the tables say which */
        reload_chord_admission_drop(t, id);
    }
}

void reload_chord_admission_pushed(struct reload_topology *t, uint32_t cookie, int error)
{
    if (t->admission_count == 0 || t->admissions[0].cookie != cookie)
        return;
    struct reload_chord_id id = t->admissions[0].id, after = t->range_after;
    /* s10.5: the Update follows the Stores. What it does not take it is offered again, later; from
     * who did not answer at all the range is kept. */
    bool refused = error == RELOAD_E_FORBIDDEN;
    bool ours = reload_chord_owns(t, id);
    if ((error == 0 || refused) && ours && t->admissions[0].again) {
        push(t, &t->admissions[0]);
        return;
    }
    reload_chord_admission_drop(t, id);
    if (error != 0)
        reload_chord_log(t, RELOAD_LOG_WARNING, "could not hand over all data to joining", id);
    if (error != 0 && !refused)
        return;
    if (ours) {
        admit(t, id);
        if (refused)
            reload_chord_handover_add(t, after, id);
    } else {
        owe(t, id);
    }
}
