#include "reload/wire/error.h"
#include "reload/wire/join.h"
#include "reload/wire/message.h"
#include "reload/wire/route_query.h"
#include "topology/mesh/instance.h"

/* Join, Leave, Update and RouteQuery of the mesh (RFC 6940 s6.4.2; bodies: mesh.h). */

#define SETTLE_MS 100 /* changes within this time share one Update */

static void send(struct reload_topology *t, uint16_t code, const struct reload_node_id *to,
                 struct reload_slice body, uint32_t cookie)
{
    struct reload_topology_request request = {
        .code = code,
        .destination = reload_node_id_slice(to),
        .body = body,
        .cookie = cookie,
    };
    t->host->request(t->host->context, &request);
}

/* --- Update --- */

static void send_update(struct reload_topology *t, const struct reload_node_id *to)
{
    uint8_t body[RELOAD_MESH_NODES_MAX * RELOAD_MESH_ID_LEN + 2];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_wr_open16(&w);
    for (size_t i = 0; i < t->members.count; i++)
        if (t->members.nodes[i].member && !t->members.nodes[i].lost)
            reload_wr_node_id(&w, &t->members.nodes[i].id);
    reload_wr_close16(&w, mark);
    send(t, RELOAD_UPDATE_REQ, to, reload_writer_slice(&w), 0);
}

void reload_mesh_owe_all(struct reload_topology *t)
{
    for (size_t i = 0; i < t->members.count; i++)
        t->members.nodes[i].owed = true;
    if (t->updates_ms == RELOAD_NEVER)
        t->updates_ms = t->now_ms + SETTLE_MS;
}

void reload_mesh_owe(struct reload_topology *t, struct reload_mesh_node *node)
{
    if (!node || t->state != RELOAD_TOPOLOGY_JOINED || reload_mesh_is_client(t))
        return;
    node->owed = true;
    if (t->updates_ms > t->now_ms)
        t->updates_ms = t->now_ms;
}

void reload_mesh_send_owed(struct reload_topology *t)
{
    t->updates_ms = RELOAD_NEVER;
    for (size_t i = 0; i < t->members.count; i++) {
        struct reload_mesh_node *node = &t->members.nodes[i];
        if (node->owed && !reload_node_id_equal(&node->id, &t->host->self))
            send_update(t, &node->id);
        node->owed = false;
    }
}

static bool lists(struct reload_slice list, const struct reload_node_id *id)
{
    struct reload_reader r = reload_reader_over(list);
    struct reload_node_id node_id;
    while (reload_node_id_next(&r, RELOAD_MESH_ID_LEN, &node_id))
        if (reload_node_id_equal(&node_id, id))
            return true;
    return false;
}

/* Members that this node has no link to. A joining node takes its informant's word for who is one.
 */
static void meet(struct reload_topology *t, const struct reload_node_id *informant,
                 struct reload_slice list)
{
    struct reload_reader r = reload_reader_over(list);
    struct reload_node_id id;
    size_t attaches = 0;
    while (reload_node_id_next(&r, RELOAD_MESH_ID_LEN, &id) && attaches < RELOAD_MESH_NODES_MAX) {
        if (reload_node_id_is_wildcard(&id) || reload_node_id_equal(&id, &t->host->self) ||
            reload_mesh_find(&t->members, &id))
            continue;
        reload_mesh_attach(t, &id, informant, RELOAD_MESH_FOR_MEMBER);
        attaches++;
    }
}

/* One that lists everybody but the member before this one, whose range would be this one's. Who has
 * just joined is not in all lists either, and answers. */
static void look_after_predecessor(struct reload_topology *t,
                                   const struct reload_node_id *informant, struct reload_slice list)
{
    const struct reload_mesh_node *before =
        reload_mesh_before(&t->members, reload_node_id_slice(&t->host->self));
    if (before && !reload_node_id_equal(&before->id, informant) && !lists(list, &before->id))
        reload_mesh_check_avoided(t, &before->id);
}

static uint16_t handle_update(struct reload_topology *t,
                              const struct reload_topology_message *message)
{
    struct reload_reader r = reload_reader_over(message->body);
    struct reload_slice list = reload_rd_opaque16(&r);
    if (reload_reader_finish(&r) != 0 || list.n % RELOAD_MESH_ID_LEN != 0)
        return RELOAD_ERROR_INVALID_MESSAGE;
    struct reload_mesh_node *node = reload_mesh_find(&t->members, message->signer);
    if (!node || !message->direct)
        return 0; /* no link: no member; a recorded one counts for nothing, as its signature tells
                     no time */
    reload_mesh_check_heard(t, node);
    bool listed = lists(list, &t->host->self);
    node->member = lists(list, message->signer);
    if (reload_mesh_is_client(t)) {
        if (reload_node_id_equal(message->signer, &t->home))
            reload_mesh_follow_home(t, list);
        return 0;
    }
    meet(t, message->signer, list);
    if (listed && t->state == RELOAD_TOPOLOGY_JOINING && t->asked_join)
        reload_mesh_admitted(t);
    if (listed)
        look_after_predecessor(t, message->signer, list);
    reload_mesh_changed(t);
    return 0;
}

/* --- Join --- */

void reload_mesh_send_join(struct reload_topology *t, const struct reload_node_id *to)
{
    uint8_t body[64];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    struct reload_join_req req = { .joining_peer_id = t->host->self };
    if (reload_join_req_encode(&w, &req) == 0)
        send(t, RELOAD_JOIN_REQ, to, reload_writer_slice(&w), RELOAD_MESH_FOR_JOIN);
}

/* s6.4.2.1, s6.4.2.2: the node that signs is the one it is about, and it owns the link. */
static bool its_own(const struct reload_topology_message *message, const struct reload_node_id *id)
{
    return reload_node_id_equal(id, message->signer) && message->direct && message->previous_hop &&
           reload_node_id_equal(message->previous_hop, message->signer);
}

static void give_data(struct reload_topology *t, const struct reload_node_id *id)
{
    struct reload_mesh_joiner *joiner = &t->joiners[t->joiner_count++];
    *joiner = (struct reload_mesh_joiner){ *id, RELOAD_MESH_FOR_JOINER +
                                                    ++t->serial % RELOAD_MESH_SERIALS };
    const struct reload_mesh_node *before =
        reload_mesh_before(&t->members, reload_node_id_slice(id));
    struct reload_topology_push push = {
        .after = reload_node_id_slice(before ? &before->id : &t->host->self),
        .up_to = reload_node_id_slice(id),
        .target = *id,
        .replica_number = 1,
        .cookie = joiner->cookie,
    };
    t->host->push(t->host->context, &push);
}

static uint16_t handle_join(struct reload_topology *t,
                            const struct reload_topology_message *message,
                            struct reload_writer *body)
{
    struct reload_join_req req;
    if (reload_join_req_decode(message->body, RELOAD_MESH_ID_LEN, &req) != 0)
        return RELOAD_ERROR_INVALID_MESSAGE;
    if (!its_own(message, &req.joining_peer_id))
        return RELOAD_ERROR_FORBIDDEN;
    const struct reload_mesh_node *known = reload_mesh_find(&t->members, message->signer);
    if (!known || (!known->member && !reload_mesh_owns(t, reload_node_id_slice(message->signer))))
        return RELOAD_ERROR_NOT_FOUND;
    if (t->joiner_count == RELOAD_MESH_JOINERS)
        return RELOAD_ERROR_IN_PROGRESS;
    struct reload_join_ans ans = { .overlay_specific_data = { NULL, 0 } };
    if (reload_join_ans_encode(body, &ans) != 0)
        return RELOAD_ERROR_RESPONSE_TOO_LARGE;
    give_data(t, message->signer);
    return 0;
}

void reload_mesh_joiner_pushed(struct reload_topology *t, uint32_t cookie, int error)
{
    for (size_t i = 0; i < t->joiner_count; i++) {
        if (t->joiners[i].cookie != cookie)
            continue;
        struct reload_mesh_node *node = reload_mesh_find(&t->members, &t->joiners[i].id);
        t->joiners[i] = t->joiners[--t->joiner_count];
        if (error != 0 || !node)
            return; /* it will ask again */
        node->member = true;
        node->owed = false;
        struct reload_node_id id = node->id;
        reload_mesh_changed(t);
        send_update(t, &id); /* lists it: from now on it is a member */
        return;
    }
}

/* --- Leave --- */

void reload_mesh_send_leaves(struct reload_topology *t)
{
    uint8_t body[64];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    struct reload_leave_req req = { .leaving_peer_id = t->host->self };
    if (reload_leave_req_encode(&w, &req) != 0)
        return;
    for (size_t i = 0; i < t->members.count; i++) {
        const struct reload_mesh_node *node = &t->members.nodes[i];
        if (!node->member || reload_node_id_equal(&node->id, &t->host->self))
            continue;
        send(t, RELOAD_LEAVE_REQ, &node->id, reload_writer_slice(&w), RELOAD_MESH_FOR_LEAVE);
        t->leaves_out++;
    }
}

static uint16_t handle_leave(struct reload_topology *t,
                             const struct reload_topology_message *message)
{
    struct reload_leave_req req;
    if (reload_leave_req_decode(message->body, RELOAD_MESH_ID_LEN, &req) != 0)
        return RELOAD_ERROR_INVALID_MESSAGE;
    if (!its_own(message, &req.leaving_peer_id))
        return RELOAD_ERROR_FORBIDDEN;
    struct reload_mesh_node *node = reload_mesh_find(&t->members, message->signer);
    if (node) {
        node->member = false;
        reload_mesh_changed(t);
    }
    return 0;
}

/* --- RouteQuery --- */

static uint16_t handle_route_query(struct reload_topology *t,
                                   const struct reload_topology_message *message,
                                   struct reload_writer *body)
{
    struct reload_route_query_req req;
    if (reload_route_query_req_decode(message->body, RELOAD_MESH_ID_LEN, &req) != 0)
        return RELOAD_ERROR_INVALID_MESSAGE;
    const struct reload_mesh_node *owner = NULL;
    if (req.destination.id.n == RELOAD_MESH_ID_LEN &&
        (req.destination.type == RELOAD_DEST_NODE || req.destination.type == RELOAD_DEST_RESOURCE))
        owner = reload_mesh_owner(&t->members, req.destination.id, 0, true);
    if (!owner)
        return RELOAD_ERROR_NOT_FOUND;
    reload_wr_node_id(body, &owner->id);
    if (req.send_update)
        send_update(t, message->signer);
    return 0;
}

uint16_t reload_mesh_handle(struct reload_topology *t,
                            const struct reload_topology_message *message,
                            struct reload_writer *body)
{
    switch (message->code) {
    case RELOAD_JOIN_REQ: return handle_join(t, message, body);
    case RELOAD_LEAVE_REQ: return handle_leave(t, message);
    case RELOAD_UPDATE_REQ: return handle_update(t, message);
    case RELOAD_ROUTE_QUERY_REQ: return handle_route_query(t, message, body);
    default: return RELOAD_ERROR_INVALID_MESSAGE;
    }
}
