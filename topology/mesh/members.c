#include "topology/mesh/members.h"

static int order(const struct reload_node_id *a, struct reload_slice b)
{
    return memcmp(a->bytes, b.p, b.n);
}

/* Index of the first node at or after an id. */
static size_t lower_bound(const struct reload_mesh_members *members, struct reload_slice id)
{
    size_t low = 0, high = members->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order(&members->nodes[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool counts(const struct reload_mesh_node *node)
{
    return node->member && !node->lost;
}

const struct reload_mesh_node *reload_mesh_find_const(const struct reload_mesh_members *members,
                                                      const struct reload_node_id *id)
{
    size_t at = lower_bound(members, reload_node_id_slice(id));
    if (at == members->count || !reload_node_id_equal(&members->nodes[at].id, id))
        return NULL;
    return &members->nodes[at];
}

struct reload_mesh_node *reload_mesh_find(struct reload_mesh_members *members,
                                          const struct reload_node_id *id)
{
    const struct reload_mesh_node *node = reload_mesh_find_const(members, id);
    return node ? &members->nodes[node - members->nodes] : NULL;
}

struct reload_mesh_node *reload_mesh_add(struct reload_mesh_members *members,
                                         const struct reload_node_id *id)
{
    struct reload_mesh_node *node = reload_mesh_find(members, id);
    if (node || members->count == RELOAD_MESH_NODES_MAX)
        return node;
    size_t at = lower_bound(members, reload_node_id_slice(id));
    node = &members->nodes[at];
    memmove(node + 1, node, (members->count - at) * sizeof *node);
    members->count++;
    *node = (struct reload_mesh_node){ .id = *id };
    return node;
}

void reload_mesh_remove(struct reload_mesh_members *members, const struct reload_node_id *id)
{
    struct reload_mesh_node *node = reload_mesh_find(members, id);
    if (!node)
        return;
    members->count--;
    memmove(node, node + 1, (size_t)(members->nodes + members->count - node) * sizeof *node);
}

const struct reload_mesh_node *reload_mesh_owner(const struct reload_mesh_members *members,
                                                 struct reload_slice id, size_t skip, bool usable)
{
    size_t start = lower_bound(members, id);
    for (size_t i = 0; i < members->count; i++) {
        const struct reload_mesh_node *node = &members->nodes[(start + i) % members->count];
        if (!counts(node) || (usable && node->suspect))
            continue;
        if (skip-- == 0)
            return node;
    }
    return NULL;
}

const struct reload_mesh_node *reload_mesh_before(const struct reload_mesh_members *members,
                                                  struct reload_slice id)
{
    size_t start = lower_bound(members, id);
    for (size_t i = 1; i <= members->count; i++) {
        const struct reload_mesh_node *node =
            &members->nodes[(start + members->count - i) % members->count];
        if (counts(node) && order(&node->id, id) != 0)
            return node;
    }
    return NULL;
}

bool reload_mesh_lost_between(const struct reload_mesh_members *members, struct reload_slice id,
                              const struct reload_node_id *node_id)
{
    size_t start = lower_bound(members, id);
    for (size_t i = 0; i < members->count; i++) {
        const struct reload_mesh_node *node = &members->nodes[(start + i) % members->count];
        if (node->lost || reload_node_id_equal(&node->id, node_id))
            return node->lost;
    }
    return false;
}

size_t reload_mesh_member_count(const struct reload_mesh_members *members)
{
    size_t count = 0;
    for (size_t i = 0; i < members->count; i++)
        count += counts(&members->nodes[i]);
    return count;
}
