#include "tests/sim/check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX 512
#define REPLICAS  2 /* s10.4; the full mesh has as many */

static void wrong(struct check *c, size_t *counter, const char *format, ...)
{
    ++*counter;
    if (c->why[0])
        return;
    va_list list;
    va_start(list, format);
    vsnprintf(c->why, sizeof c->why, format, list);
    va_end(list);
}

/* --- the ring as it should be --- */

static const struct world *sorted_world; /* qsort has no context */

static int by_id(const void *a, const void *b)
{
    return reload_node_id_compare(world_node_id(sorted_world, *(const uint32_t *)a),
                                  world_node_id(sorted_world, *(const uint32_t *)b));
}

size_t world_ring(const struct world *w, size_t places, uint32_t *out)
{
    size_t count = 0;
    for (uint32_t i = 0; i < places; i++)
        if (world_is_joined(w, i))
            out[count++] = i;
    sorted_world = w;
    qsort(out, count, sizeof *out, by_id);
    return count;
}

/* The peer that owns an id: the first at or after it. */
static size_t owner_of(const struct world *w, const uint32_t *ring, size_t count, const uint8_t *id)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (memcmp(world_node_id(w, ring[middle])->bytes, id, 16) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low % count;
}

/* --- tables against it --- */

static const struct reload_topology_entry *entry(const struct reload_topology_entry *table,
                                                 size_t count, enum reload_peer_relation relation)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].relation == relation && table[i].index == 0)
            return &table[i];
    return NULL;
}

static void check_neighbor(struct check *c, const struct world *w, uint32_t place,
                           const struct reload_topology_entry *table, size_t count,
                           enum reload_peer_relation relation, uint32_t expected)
{
    const char *what = relation == RELOAD_RELATION_SUCCESSOR ? "successor" : "predecessor";
    const struct reload_topology_entry *e = entry(table, count, relation);
    if (!e)
        wrong(c, &c->ring_errors, "peer %u has no %s", place, what);
    else if (!reload_node_id_equal(&e->node_id, world_node_id(w, expected)))
        wrong(c, &c->ring_errors, "the %s of peer %u is not peer %u", what, place, expected);
}

/* A topology without successors: everybody knows everybody. */
static void check_members(struct check *c, const struct world *w, const uint32_t *ring,
                          size_t count, uint32_t place, const struct reload_topology_entry *table,
                          size_t table_count)
{
    for (size_t i = 0; i < count; i++) {
        bool known = ring[i] == place;
        for (size_t j = 0; j < table_count && !known; j++)
            known = reload_node_id_equal(&table[j].node_id, world_node_id(w, ring[i]));
        if (!known)
            wrong(c, &c->ring_errors, "peer %u does not know peer %u", place, ring[i]);
    }
}

static void check_tables(struct check *c, const struct world *w, const uint32_t *ring, size_t count)
{
    static struct reload_topology_entry table[TABLE_MAX];
    for (size_t i = 0; i < count && count > 1; i++) {
        size_t n = reload_node_tables(world_node(w, ring[i]), table, TABLE_MAX);
        if (n > TABLE_MAX)
            n = TABLE_MAX;
        bool is_ring = false;
        for (size_t j = 0; j < n; j++)
            is_ring |= table[j].relation == RELOAD_RELATION_SUCCESSOR ||
                       table[j].relation == RELOAD_RELATION_PREDECESSOR;
        if (!is_ring) {
            check_members(c, w, ring, count, ring[i], table, n);
            continue;
        }
        check_neighbor(c, w, ring[i], table, n, RELOAD_RELATION_SUCCESSOR, ring[(i + 1) % count]);
        check_neighbor(c, w, ring[i], table, n, RELOAD_RELATION_PREDECESSOR,
                       ring[(i + count - 1) % count]);
    }
}

/* --- owners --- */

static void check_owner(struct check *c, const struct world *w, const uint32_t *ring, size_t count,
                        const uint8_t *id)
{
    uint32_t expected = ring[owner_of(w, ring, count, id)];
    for (size_t i = 0; i < count; i++) {
        bool owns = reload_node_responsible(world_node(w, ring[i]), reload_slice_of(id, 16));
        if (owns && ring[i] != expected)
            wrong(c, &c->owner_errors, "peer %u thinks it owns a key of peer %u", ring[i],
                  expected);
        if (!owns && ring[i] == expected)
            wrong(c, &c->owner_errors, "peer %u does not know that it owns a key", expected);
    }
}

/* At both sides of each border between two peers. */
static void check_borders(struct check *c, const struct world *w, const uint32_t *ring,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t id[16];
        memcpy(id, world_node_id(w, ring[i])->bytes, 16);
        check_owner(c, w, ring, count, id);
        for (size_t b = 16; b-- > 0 && ++id[b] == 0;)
            ;
        check_owner(c, w, ring, count, id);
    }
}

/* --- replicas --- */

static void check_replicas(struct check *c, const struct world *w, const uint32_t *ring,
                           size_t count, const struct stored_key *key)
{
    size_t owner = owner_of(w, ring, count, key->resource);
    for (size_t i = 0; i <= REPLICAS && i < count; i++) {
        uint32_t place = ring[(owner + i) % count];
        if (!reload_store_holds(reload_node_store_view(world_node(w, place)),
                                reload_slice_of(key->resource, 16), key->kind))
            wrong(c, &c->replica_errors, "peer %u does not hold %s of a value", place,
                  i ? "its replica" : "its copy");
    }
}

struct check world_check(const struct world *w, size_t places, const struct stored_key *keys,
                         size_t key_count)
{
    struct check c = { 0 };
    uint32_t *ring = calloc(places, sizeof *ring);
    size_t unjoined = 0;
    c.peers = world_ring(w, places, ring);
    for (size_t i = 0; i < places; i++)
        c.alive += world_is_alive(w, i);
    if (c.peers != c.alive)
        wrong(&c, &unjoined, "%zu of %zu peers have not joined", c.alive - c.peers, c.alive);
    if (c.peers > 0) {
        check_tables(&c, w, ring, c.peers);
        check_borders(&c, w, ring, c.peers);
        for (size_t i = 0; i < key_count; i++) {
            check_owner(&c, w, ring, c.peers, keys[i].resource);
            check_replicas(&c, w, ring, c.peers, &keys[i]);
        }
    }
    free(ring);
    return c;
}
