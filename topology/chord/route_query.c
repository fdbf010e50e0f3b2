#include "reload/wire/route_query.h"

#include "reload/wire/error.h"
#include "reload/wire/message.h"
#include "topology/chord/instance.h"

/* Routing (RFC 6940 s10.3) and telling others of it (s10.8). */

bool reload_chord_next_hop(const struct reload_topology *t, struct reload_slice id,
                           struct reload_node_id *out)
{
    struct reload_chord_id next;
    if (id.n != RELOAD_CHORD_ID_LEN)
        return false;
    if (reload_chord_is_client(t) || !t->owner) {
        /* A client, or a joining node with requests of its own (docs/protocol.md): its AP, its
         * bootstrap node, or by the tables of those that made themselves known. */
        const struct reload_chord_peer *ap =
            t->has_ap ? reload_chord_tables_find(&t->tables, t->ap) : NULL;
        if (ap && !(ap->suspect && t->has_bootstrap))
            next = t->ap;
        else if (t->has_bootstrap)
            next = t->bootstrap;
        else if (!reload_chord_tables_route(&t->tables, reload_chord_id_from(id), &next))
            return false;
    } else if (!reload_chord_tables_route(&t->tables, reload_chord_id_from(id), &next)) {
        return false;
    }
    *out = reload_chord_id_node(next);
    return true;
}

bool reload_chord_next_peer(const struct reload_topology *t, struct reload_slice id,
                            struct reload_node_id *out)
{
    if (id.n != RELOAD_CHORD_ID_LEN)
        return false;
    struct reload_node_id node_id = reload_node_id_from(id);
    bool connected = t->host->connected(t->host->context, &node_id);
    if (!connected && reload_chord_owns(t, reload_chord_id_from(id)))
        *out = t->host->self;
    else if (connected)
        *out = node_id;
    else
        return reload_chord_next_hop(t, id, out);
    return true;
}

/* The first rule of s10.3 chose the predecessor's side, from where it came: so the second, whose
 * choice is then the owner. That side goes round the owner, which is reason to look after it. */
bool reload_chord_other_hop(struct reload_topology *t, struct reload_slice id,
                            struct reload_chord_id from, struct reload_chord_id *out)
{
    const struct reload_chord_peer *owner =
        reload_chord_tables_after(&t->tables, reload_chord_id_from(id));
    if (!t->owner || id.n != RELOAD_CHORD_ID_LEN || !owner ||
        reload_chord_id_equal(owner->id, from))
        return false;
    *out = owner->id;
    bool usable = reload_chord_peer_usable(owner);
    reload_chord_check_avoided(t, *out);
    return usable;
}

uint16_t reload_chord_handle_route_query(struct reload_topology *t,
                                         const struct reload_topology_message *message,
                                         struct reload_writer *body)
{
    struct reload_route_query_req req;
    if (reload_route_query_req_decode(message->body, RELOAD_CHORD_ID_LEN, &req) != 0)
        return reload_chord_refuse(body, RELOAD_ERROR_INVALID_MESSAGE, "malformed RouteQuery");
    /* s6.4.2.4.1: an opaque id keeps its secret. */
    if (req.destination.type != RELOAD_DEST_NODE && req.destination.type != RELOAD_DEST_RESOURCE)
        return reload_chord_refuse(body, RELOAD_ERROR_FORBIDDEN, "an opaque id keeps its secret");
    struct reload_chord_route_query_ans ans;
    if (!reload_chord_next_peer(t, req.destination.id, &ans.next_peer))
        return RELOAD_ERROR_NOT_FOUND;
    if (reload_chord_route_query_ans_encode(body, &ans) != 0)
        return RELOAD_ERROR_RESPONSE_TOO_LARGE;
    /* RFC 6940 s10.8: the Update follows the answer; it is full (s10.7). */
    if (req.send_update && t->state == RELOAD_CHORD_JOINED && !reload_chord_is_client(t))
        reload_chord_send_update(t, reload_chord_id_of(message->signer), RELOAD_CHORD_UPDATE_FULL);
    return 0;
}
