#include "topology/chord/tables.h"

#include "reload/alloc.h"

void reload_chord_tables_init(struct reload_chord_tables *tables, struct reload_chord_id self)
{
    *tables = (struct reload_chord_tables){ .self = self, .list_size = RELOAD_CHORD_LIST_MIN };
}

void reload_chord_tables_fini(struct reload_chord_tables *tables)
{
    reload_free(tables->peers);
    reload_free(tables->routes);
    tables->peers = NULL;
    tables->routes = NULL;
    tables->count = tables->capacity = tables->route_count = 0;
}

static struct reload_chord_id distance(const struct reload_chord_tables *tables,
                                       struct reload_chord_id id)
{
    return reload_chord_distance(tables->self, id);
}

/* How many peers lie in (self, id). */
static size_t rank(const struct reload_chord_tables *tables, struct reload_chord_id id)
{
    struct reload_chord_id d = distance(tables, id);
    size_t low = 0, high = tables->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reload_chord_id_less(distance(tables, tables->peers[middle].id), d))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct reload_chord_peer *reload_chord_tables_find(const struct reload_chord_tables *tables,
                                                   struct reload_chord_id id)
{
    size_t at = rank(tables, id);
    if (at == tables->count || !reload_chord_id_equal(tables->peers[at].id, id))
        return NULL;
    return &tables->peers[at];
}

static bool grow(struct reload_chord_tables *tables)
{
    size_t capacity = tables->capacity ? 2 * tables->capacity : 16;
    if (capacity > RELOAD_CHORD_PEERS_MAX)
        return false;
    void *peers = reload_realloc(tables->peers, capacity * sizeof *tables->peers);
    if (!peers)
        return false;
    tables->peers = peers;
    void *routes = reload_realloc(tables->routes, capacity * sizeof *tables->routes);
    if (!routes)
        return false;
    tables->routes = routes;
    tables->capacity = capacity;
    return true;
}

struct reload_chord_peer *reload_chord_tables_add(struct reload_chord_tables *tables,
                                                  struct reload_chord_id id)
{
    struct reload_chord_peer *peer = reload_chord_tables_find(tables, id);
    if (peer)
        return peer;
    if (reload_chord_id_equal(id, tables->self))
        return NULL;
    if (tables->count == tables->capacity && !grow(tables))
        return NULL;
    size_t at = rank(tables, id);
    peer = &tables->peers[at];
    memmove(peer + 1, peer, (tables->count - at) * sizeof *peer);
    tables->count++;
    *peer = (struct reload_chord_peer){ .id = id };
    return peer;
}

bool reload_chord_peer_usable(const struct reload_chord_peer *peer)
{
    return peer->ready && !peer->suspect && !peer->lost;
}

void reload_chord_tables_remove(struct reload_chord_tables *tables, struct reload_chord_id id)
{
    struct reload_chord_peer *peer = reload_chord_tables_find(tables, id);
    if (!peer)
        return;
    tables->count--;
    memmove(peer, peer + 1, (size_t)(tables->peers + tables->count - peer) * sizeof *peer);
}

void reload_chord_tables_refresh(struct reload_chord_tables *tables)
{
    struct reload_chord_lists *lists = &tables->lists;
    *lists = (struct reload_chord_lists){ .predecessor_count = 0 };
    tables->route_count = 0;
    for (size_t i = 0; i < tables->count; i++) {
        const struct reload_chord_peer *peer = &tables->peers[i];
        if (!peer->ready || peer->lost)
            continue;
        if (!peer->suspect)
            tables->routes[tables->route_count++] = peer->id;
        if (lists->successor_count < tables->list_size)
            lists->successors[lists->successor_count++] = peer->id;
    }
    /* In a small ring a peer is predecessor and successor at once (docs/protocol.md). */
    for (size_t i = tables->count; i > 0 && lists->predecessor_count < tables->list_size; i--)
        if (tables->peers[i - 1].ready && !tables->peers[i - 1].lost)
            lists->predecessors[lists->predecessor_count++] = tables->peers[i - 1].id;
}

bool reload_chord_tables_route(const struct reload_chord_tables *tables, struct reload_chord_id k,
                               struct reload_chord_id *out)
{
    if (tables->route_count == 0)
        return false;
    struct reload_chord_id d = distance(tables, k);
    size_t low = 0, high = tables->route_count; /* routes before `low` are nearer than k */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reload_chord_id_less(distance(tables, tables->routes[middle]), d))
            low = middle + 1;
        else
            high = middle;
    }
    /* With nothing in (self, k), every peer is greater than k and the first is the smallest. */
    *out = tables->routes[low > 0 ? low - 1 : 0];
    return true;
}

const struct reload_chord_peer *reload_chord_tables_after(const struct reload_chord_tables *tables,
                                                          struct reload_chord_id k)
{
    for (size_t at = rank(tables, k); at < tables->count; at++)
        if (tables->peers[at].ready && !tables->peers[at].lost)
            return &tables->peers[at];
    return NULL; /* then self is */
}

bool reload_chord_tables_lost_after(const struct reload_chord_tables *tables,
                                    struct reload_chord_id k)
{
    for (size_t at = rank(tables, k); at < tables->count; at++)
        if (tables->peers[at].lost)
            return true;
    return false;
}

static bool same(const struct reload_chord_id *a, size_t a_count, const struct reload_chord_id *b,
                 size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++)
        if (!reload_chord_id_equal(a[i], b[i]))
            return false;
    return true;
}

bool reload_chord_lists_equal(const struct reload_chord_lists *a,
                              const struct reload_chord_lists *b)
{
    return same(a->predecessors, a->predecessor_count, b->predecessors, b->predecessor_count) &&
           same(a->successors, a->successor_count, b->successors, b->successor_count);
}

bool reload_chord_lists_hold(const struct reload_chord_lists *lists, struct reload_chord_id id)
{
    for (size_t i = 0; i < lists->predecessor_count; i++)
        if (reload_chord_id_equal(lists->predecessors[i], id))
            return true;
    for (size_t i = 0; i < lists->successor_count; i++)
        if (reload_chord_id_equal(lists->successors[i], id))
            return true;
    return false;
}

const struct reload_chord_peer *reload_chord_tables_finger(const struct reload_chord_tables *tables,
                                                           unsigned i)
{
    size_t at = rank(tables, reload_chord_finger_start(tables->self, i));
    for (; at < tables->count; at++) {
        const struct reload_chord_peer *peer = &tables->peers[at];
        if (reload_chord_finger_of(distance(tables, peer->id)) != i)
            return NULL;
        if (reload_chord_peer_usable(peer))
            return peer;
    }
    return NULL;
}

unsigned reload_chord_tables_log2_size(const struct reload_chord_tables *tables)
{
    const struct reload_chord_lists *lists = &tables->lists;
    size_t count = lists->successor_count;
    if (count == 0)
        return 0;
    /* `count` peers lie in `span`, so about 2^128 / span * count are there in all. */
    struct reload_chord_id span = distance(tables, lists->successors[count - 1]);
    unsigned log2_count = count >= 8 ? 3 : count >= 4 ? 2 : count >= 2 ? 1 : 0;
    return reload_chord_finger_of(span) - 1 + log2_count;
}
