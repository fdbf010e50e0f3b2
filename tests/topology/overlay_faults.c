#include "tests/topology/overlay_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* The invariants, checked against what a bystander sees who knows all nodes. */

static int by_id(const void *a, const void *b)
{
    const struct overlay_node *const *x = a, *const *y = b;
    return memcmp((*x)->host.self.bytes, (*y)->host.self.bytes, 16);
}

static size_t sorted_peers(struct overlay *o, struct overlay_node **out)
{
    size_t count = 0;
    for (size_t i = 0; i < o->count; i++)
        if (o->nodes[i]->alive && o->nodes[i]->host.role == RELOAD_ROLE_PEER)
            out[count++] = o->nodes[i];
    qsort(out, count, sizeof *out, by_id);
    return count;
}

static size_t fault(struct overlay *o, const struct overlay_node *n, const char *what, size_t index)
{
    printf("seed %llu, %llu ms: node %zu (state %d): %s %zu\n", (unsigned long long)o->options.seed,
           (unsigned long long)o->now, n->index, (int)n->state, what, index);
    return 1;
}

static size_t lists_faults(struct overlay *o, struct overlay_node **ring, size_t count, size_t at)
{
    struct reload_topology_entry entries[300];
    size_t n = overlay_ops(o)->snapshot(ring[at]->topology, entries, 300), faults = 0, seen = 0;
    for (size_t i = 0; i < n && i < 300; i++) {
        const struct reload_topology_entry *e = &entries[i];
        if (e->relation > RELOAD_RELATION_SUCCESSOR || e->index + 1 >= count)
            continue;
        size_t distance = (e->index + 1) % count;
        bool forward = e->relation == RELOAD_RELATION_SUCCESSOR;
        const struct overlay_node *right =
            ring[(at + (forward ? distance : count - distance)) % count];
        seen += e->index < 3;
        if (!reload_node_id_equal(&right->host.self, &e->node_id))
            faults +=
                fault(o, ring[at], forward ? "wrong successor" : "wrong predecessor", e->index);
    }
    size_t wanted = count > 3 ? 6 : 2 * (count - 1);
    if (seen < wanted)
        faults += fault(o, ring[at], "neighbours known only", seen);
    return faults;
}

size_t overlay_ring_faults(struct overlay *o)
{
    struct overlay_node *ring[OVERLAY_NODES_MAX];
    size_t count = sorted_peers(o, ring), faults = 0;
    for (size_t i = 0; i < count; i++) {
        if (ring[i]->state != RELOAD_TOPOLOGY_JOINED)
            faults += fault(o, ring[i], "not joined", 0);
        faults += lists_faults(o, ring, count, i);
    }
    return faults;
}

static size_t right_owner(struct overlay_node **ring, size_t count, const struct reload_node_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(ring[i]->host.self.bytes, id->bytes, 16) >= 0)
            return i;
    return 0;
}

size_t overlay_ownership_faults(struct overlay *o)
{
    struct overlay_node *ring[OVERLAY_NODES_MAX];
    size_t count = sorted_peers(o, ring), faults = 0;
    for (size_t k = 0; k < 64 + o->resource_count; k++) {
        struct reload_node_id id = { .len = 16 };
        if (k < o->resource_count)
            id = o->resources[k];
        else
            overlay_fill(o, id.bytes, 16);
        size_t right = right_owner(ring, count, &id);
        for (size_t i = 0; i < count; i++)
            if (overlay_ops(o)->responsible(ring[i]->topology, reload_node_id_slice(&id)) !=
                (i == right))
                faults += fault(o, ring[i], i == right ? "disowns" : "owns wrongly", k);
    }
    return faults;
}

size_t overlay_replica_faults(struct overlay *o)
{
    struct overlay_node *ring[OVERLAY_NODES_MAX];
    size_t count = sorted_peers(o, ring), faults = 0;
    for (size_t r = 0; r < o->resource_count; r++) {
        size_t owner = right_owner(ring, count, &o->resources[r]);
        for (size_t i = 0; i < 3 && i < count; i++)
            if (!ring[(owner + i) % count]->holds[r])
                faults += fault(o, ring[(owner + i) % count], i ? "lacks replica" : "lacks own", r);
    }
    return faults;
}
