#include "reload/node/state.h"

/* Looking in (node.h). */

const struct reload_node_counters *reload_node_counters(const struct reload_node *node)
{
    return &node->counters;
}

const struct reload_store *reload_node_store_view(const struct reload_node *node)
{
    return node->store;
}

const struct reload_config *reload_node_overlay(const struct reload_node *node)
{
    return node->overlay;
}

enum reload_topology_state reload_node_state(const struct reload_node *node)
{
    return node->state;
}

/* Whether the topology routes through that node: it is in its tables. */
static bool is_routable(const struct reload_node *node, const struct reload_node_id *id)
{
    struct reload_topology_entry entries[256];
    size_t count = node->ops->snapshot(node->topology, entries, 256);
    for (size_t i = 0; i < count && i < 256; i++)
        if (reload_node_id_equal(&entries[i].node_id, id))
            return true;
    return false;
}

static struct reload_connection view_of(const struct reload_node *node,
                                        const struct reload_slot *slot)
{
    return (struct reload_connection){
        .link = slot->link,
        .node_id = slot->node_id,
        .type = slot->type,
        .inbound = slot->inbound,
        .suspect = slot->suspect,
        .routable = slot->preferred && is_routable(node, &slot->node_id),
        .up_since_ms = slot->up_since_ms,
        .sent = slot->sent,
        .received = slot->received,
    };
}

size_t reload_node_connections(const struct reload_node *node, struct reload_connection *out,
                               size_t cap)
{
    size_t count = 0;
    for (size_t i = 0; i < node->connections.capacity; i++) {
        if (!node->connections.slots[i].used)
            continue;
        if (count < cap)
            out[count] = view_of(node, &node->connections.slots[i]);
        count++;
    }
    return count;
}

size_t reload_node_tables(const struct reload_node *node, struct reload_topology_entry *out,
                          size_t cap)
{
    return node->ops->snapshot(node->topology, out, cap);
}

bool reload_node_responsible(const struct reload_node *node, struct reload_slice id)
{
    return node->ops->responsible(node->topology, id);
}

uint32_t reload_node_responsible_ppb(const struct reload_node *node)
{
    return node->ops->responsible_ppb(node->topology);
}

int reload_node_resource_id(const struct reload_node *node, struct reload_slice resource_name,
                            uint8_t *out, size_t *len)
{
    return node->ops->resource_id(node->crypto, resource_name, out, len);
}
