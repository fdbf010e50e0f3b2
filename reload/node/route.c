#include "reload/node/state.h"

/* Where a message goes (RFC 6940 s6.1, s6.1.1 to s6.1.3): the first Destination entry decides, and
 * entries that name this node are taken off until another decides. */

struct walk {
    struct reload_node *node;
    struct reload_slice list;
    bool response;
    struct reload_route *out;
};

static enum reload_route_outcome drop(struct walk *walk, enum reload_drop_reason reason,
                                      uint16_t error)
{
    walk->out->reason = reason;
    walk->out->error = error;
    return RELOAD_ROUTE_DROP;
}

static enum reload_route_outcome go(struct walk *walk, struct reload_slot *slot)
{
    walk->out->next = slot;
    walk->out->list = walk->list;
    return RELOAD_ROUTE_NEXT;
}

static enum reload_route_outcome here(struct walk *walk)
{
    walk->out->list = walk->list;
    return RELOAD_ROUTE_HERE;
}

/* s6.1.2: hand it to the peer that the topology thinks nearest. */
static enum reload_route_outcome ask_topology(struct walk *walk)
{
    struct reload_node *node = walk->node;
    if (walk->response)
        return drop(walk, RELOAD_DROP_RETURN_GONE, 0);
    struct reload_node_id next;
    struct reload_slot *slot = NULL;
    if (node->ops->next_hop(node->topology, walk->out->first.id, &next))
        slot = reload_connection_to(node, &next);
    walk->out->undecided = reload_undecided(node, walk->out->first.id);
    return slot ? go(walk, slot) : drop(walk, RELOAD_DROP_NO_ROUTE, 0);
}

/* An entry other than this node's own id. */
static enum reload_route_outcome route_node(struct walk *walk)
{
    struct reload_node *node = walk->node;
    struct reload_node_id id = reload_node_id_from(walk->out->first.id);
    if (reload_node_id_is_wildcard(&id)) /* s6.1.1: never forwarded */
        return here(walk);
    struct reload_slot *slot = reload_connection_to(node, &id);
    if (slot) /* s6.1.2: straight to whoever is connected; s6.1.1: a client in the own range */
        return go(walk, slot);
    if (node->ops->responsible(node->topology, walk->out->first.id))
        return drop(walk, RELOAD_DROP_NOT_HERE, 0);
    return ask_topology(walk);
}

static enum reload_route_outcome route_resource(struct walk *walk, bool last)
{
    struct reload_node *node = walk->node;
    if (!last) /* s6.1.1: silently */
        return drop(walk, RELOAD_DROP_RESOURCE_NOT_LAST, 0);
    if (walk->out->first.id.n != node->ops->resource_id_length)
        return drop(walk, RELOAD_DROP_DESTINATION, RELOAD_ERROR_INVALID_MESSAGE);
    if (node->ops->responsible(node->topology, walk->out->first.id))
        return here(walk);
    return ask_topology(walk);
}

/* The list [entries, rest] in the arena. */
static bool splice(struct walk *walk, struct reload_slice entries, struct reload_slice rest)
{
    struct reload_writer w = reload_arena_writer(&walk->node->queue.arena, entries.n + rest.n);
    reload_wr_bytes(&w, entries);
    reload_wr_bytes(&w, rest);
    walk->list = reload_writer_slice(&w);
    return reload_writer_status(&w) == 0;
}

/* The far end of an unbound link: it knows that what comes over the link is its own, and the
 * wildcard says so. */
static enum reload_route_outcome route_slot(struct walk *walk, struct reload_slot *slot,
                                            struct reload_slice rest)
{
    uint8_t entry[2 + RELOAD_NODE_ID_MAX];
    struct reload_writer w = reload_writer_of(entry, sizeof entry);
    struct reload_destination d =
        reload_destination_node(slot->node_id.len ? &slot->node_id : &walk->node->wildcard);
    if (reload_destination_encode(&w, &d) != 0 || !splice(walk, reload_writer_slice(&w), rest))
        return drop(walk, RELOAD_DROP_MEMORY, 0);
    return go(walk, slot);
}

/* s6.1.3. True when the list was rewritten and is to be looked at again. */
static bool expand(struct walk *walk, struct reload_slice rest, enum reload_route_outcome *outcome)
{
    struct reload_slot *slot;
    struct reload_slice entries;
    *outcome = RELOAD_ROUTE_DROP;
    if (reload_opaque_expand(walk->node, walk->out->first.id, &slot, &entries) != 0) {
        *outcome = drop(walk, RELOAD_DROP_OPAQUE, 0); /* s6.3.2.2: silently */
        return false;
    }
    if (slot) {
        *outcome = route_slot(walk, slot, rest);
        return false;
    }
    if (splice(walk, entries, rest))
        return true;
    *outcome = drop(walk, RELOAD_DROP_MEMORY, 0);
    return false;
}

/* Looks at the first entry. True when it was taken off or replaced. */
static bool step(struct walk *walk, enum reload_route_outcome *outcome)
{
    struct reload_reader r = reload_reader_over(walk->list);
    struct reload_destination *first = &walk->out->first;
    *outcome = drop(walk, RELOAD_DROP_DESTINATION, 0);
    if (!reload_destination_next(&r, reload_node_id_length(walk->node), first))
        return false;
    struct reload_slice rest = { r.p, reload_reader_left(&r) };
    switch (first->type) {
    case RELOAD_DEST_NODE:
        if (reload_destination_is_node(first, &walk->node->self)) {
            *outcome = here(walk);
            if (rest.n == 0)
                return false;
            walk->list = rest; /* s6.1.1: own Node-ID, and more entries after it */
            return true;
        }
        *outcome = route_node(walk);
        return false;
    case RELOAD_DEST_RESOURCE: *outcome = route_resource(walk, rest.n == 0); return false;
    case RELOAD_DEST_OPAQUE: return expand(walk, rest, outcome);
    default: return false; /* an unknown type cannot be routed */
    }
}

enum reload_route_outcome reload_route_find(struct reload_node *node, struct reload_slice list,
                                            bool response, struct reload_route *out)
{
    struct walk walk = { node, list, response, out };
    enum reload_route_outcome outcome;
    *out = (struct reload_route){ 0 };
    /* Each turn takes an entry off or expands a list kept here, which holds none of its own ids. */
    for (int turns = 0; turns <= 2 * RELOAD_DESTINATION_LIST_MAX; turns++)
        if (!step(&walk, &outcome))
            return outcome;
    return drop(&walk, RELOAD_DROP_DESTINATION, 0);
}
