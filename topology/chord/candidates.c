#include "topology/chord/instance.h"

/* Attaches to new peers (RFC 6940 s10.6): whom to try, over whom, and whom not to try again yet.
 * A candidate is decided when its Update has come, or when it cannot be reached. */

#define ATTACH_MS 30000 /* the node's own timers end an Attach earlier */
#define UPDATE_MS 3000  /* from the link to the Update that makes it a peer (s4.4) */

static size_t find_cookie(const struct reload_topology *t, uint32_t cookie)
{
    size_t i = 0;
    while (i < t->candidate_count && t->candidates[i].cookie != cookie)
        i++;
    return i;
}

static void drop(struct reload_topology *t, size_t i)
{
    t->candidates[i] = t->candidates[--t->candidate_count];
}

bool reload_chord_candidate_pending(const struct reload_topology *t, struct reload_chord_id id)
{
    for (size_t i = 0; i < t->candidate_count; i++)
        if (t->candidates[i].by_id && reload_chord_id_equal(t->candidates[i].id, id))
            return true;
    return false;
}

bool reload_chord_candidates_block(const struct reload_topology *t)
{
    for (size_t i = 0; i < t->candidate_count; i++)
        if (t->candidates[i].blocking)
            return true;
    return false;
}

static bool begin(struct reload_topology *t, struct reload_chord_id id, bool by_id, bool named,
                  struct reload_chord_id informant, const struct reload_chord_id *via)
{
    if (t->candidate_count == RELOAD_CHORD_CANDIDATES_MAX)
        return false;
    struct reload_chord_candidate *c = &t->candidates[t->candidate_count++];
    *c = (struct reload_chord_candidate){
        .cookie = reload_chord_cookie(t, RELOAD_CHORD_FOR_CANDIDATE),
        .by_id = by_id,
        .named = named,
        .blocking = named,
        .id = id,
        .informant = informant,
        .until_ms = t->now_ms + ATTACH_MS,
    };
    struct reload_node_id to = reload_chord_id_node(id);
    struct reload_node_id over = via ? reload_chord_id_node(*via) : to;
    t->host->attach(t->host->context, via ? &over : NULL, !by_id, reload_node_id_slice(&to), false,
                    c->cookie);
    return true;
}

void reload_chord_attach_node(struct reload_topology *t, struct reload_chord_id id,
                              const struct reload_chord_id *via)
{
    if (reload_chord_id_equal(id, t->self) || reload_chord_tables_find(&t->tables, id) ||
        reload_chord_candidate_pending(t, id))
        return;
    (void)begin(t, id, true, false, t->self, via);
}

void reload_chord_attach_resource(struct reload_topology *t, struct reload_chord_id resource)
{
    (void)begin(t, resource, false, false, t->self, NULL);
}

/* Fewer peers than the list has places lie between self and id, counting those being attached. */
static bool belongs(const struct reload_topology *t, struct reload_chord_id id, bool clockwise)
{
    const struct reload_chord_lists *lists = &t->tables.lists;
    const struct reload_chord_id *list = clockwise ? lists->successors : lists->predecessors;
    size_t count = clockwise ? lists->successor_count : lists->predecessor_count;
    struct reload_chord_id from = clockwise ? t->self : id, to = clockwise ? id : t->self;
    size_t nearer = 0;
    for (size_t i = 0; i < count; i++)
        nearer += reload_chord_between(list[i], from, to);
    for (size_t i = 0; i < t->candidate_count; i++)
        nearer += t->candidates[i].by_id && reload_chord_between(t->candidates[i].id, from, to);
    return nearer < t->tables.list_size;
}

static size_t told_by(const struct reload_topology *t, struct reload_chord_id informant)
{
    size_t count = 0;
    for (size_t i = 0; i < t->candidate_count; i++)
        count +=
            t->candidates[i].by_id && reload_chord_id_equal(t->candidates[i].informant, informant);
    return count;
}

static bool may_look_for_neighbours(const struct reload_topology *t)
{
    return !reload_chord_is_client(t) && t->state >= RELOAD_CHORD_CONNECT &&
           t->state <= RELOAD_CHORD_JOINED;
}

void reload_chord_consider(struct reload_topology *t, struct reload_chord_id id,
                           struct reload_chord_id via)
{
    if (!may_look_for_neighbours(t) || reload_chord_id_equal(id, t->self) ||
        reload_chord_tables_find(&t->tables, id) || reload_chord_shunned(t, id) ||
        reload_chord_candidate_pending(t, id))
        return;
    if (!belongs(t, id, true) && !belongs(t, id, false))
        return;
    if (told_by(t, via) >= RELOAD_CHORD_CANDIDATES_PER_PEER)
        return; /* a peer that makes ids up does not keep us from others' */
    /* s10.5: nothing is told to others before the neighbours that the AP named are attached. */
    bool named =
        t->state == RELOAD_CHORD_CONNECT ||
        (t->state == RELOAD_CHORD_INTRODUCE && t->has_ap && reload_chord_id_equal(via, t->ap));
    /* RFC 6940 s10.6: source routed through the peer that told of it, if that one is there. */
    const struct reload_chord_peer *informant = reload_chord_tables_find(&t->tables, via);
    bool over = informant && !informant->suspect && !informant->lost;
    (void)begin(t, id, true, named, via, over ? &via : NULL);
}

void reload_chord_consider_lists(struct reload_topology *t, struct reload_chord_id informant,
                                 const struct reload_chord_lists *lists)
{
    for (size_t i = 0; i < RELOAD_CHORD_LIST_MAX; i++) { /* nearest of both sides first */
        if (i < lists->successor_count)
            reload_chord_consider(t, lists->successors[i], informant);
        if (i < lists->predecessor_count)
            reload_chord_consider(t, lists->predecessors[i], informant);
    }
}

void reload_chord_repair(struct reload_topology *t)
{
    struct reload_chord_lists own = t->tables.lists;
    for (size_t i = 0; i < own.successor_count + own.predecessor_count; i++) {
        struct reload_chord_id id =
            i < own.successor_count ? own.successors[i] : own.predecessors[i - own.successor_count];
        const struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
        if (peer && peer->told) {
            struct reload_chord_lists told = peer->lists;
            reload_chord_consider_lists(t, id, &told);
        }
    }
}

void reload_chord_candidate_attached(struct reload_topology *t, uint32_t cookie, int error,
                                     const struct reload_node_id *node_id)
{
    size_t i = find_cookie(t, cookie);
    if (i == t->candidate_count)
        return;
    struct reload_chord_candidate *c = &t->candidates[i];
    struct reload_chord_id id = c->id;
    if (error != 0 || !node_id) {
        bool by_id = c->by_id;
        drop(t, i);
        /* The far end's own Attach may have won (s6.5.1: Error_In_Progress). */
        if (by_id && !reload_chord_tables_find(&t->tables, id))
            reload_chord_shun(t, id, RELOAD_CHORD_SHUN_MS);
        return;
    }
    id = reload_chord_id_of(node_id);
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    if (peer)
        peer->opened = true;
    if (reload_chord_id_equal(id, t->self) || (peer && peer->ready)) {
        drop(t, i);
        return;
    }
    c->id = id;
    c->by_id = c->linked = true;
    c->blocking = false;
    c->until_ms = t->now_ms + UPDATE_MS;
}

void reload_chord_candidate_decided(struct reload_topology *t, struct reload_chord_id id)
{
    for (size_t i = t->candidate_count; i > 0; i--)
        if (t->candidates[i - 1].by_id && reload_chord_id_equal(t->candidates[i - 1].id, id))
            drop(t, i - 1);
}

static uint64_t next_unshunned_ms(const struct reload_topology *t)
{
    uint64_t next_ms = RELOAD_NEVER;
    for (size_t i = 0; i < t->shunned_count; i++)
        if (t->shunned[i].until_ms > t->now_ms && t->shunned[i].until_ms < next_ms)
            next_ms = t->shunned[i].until_ms;
    return next_ms;
}

void reload_chord_candidates_tick(struct reload_topology *t)
{
    if (t->repair_due_ms <= t->now_ms) {
        t->repair_due_ms = next_unshunned_ms(t);
        reload_chord_repair(t);
    }
    for (size_t i = t->candidate_count; i > 0; i--) {
        struct reload_chord_candidate c = t->candidates[i - 1];
        if (c.until_ms > t->now_ms)
            continue;
        drop(t, i - 1);
        if (c.by_id && !c.linked)
            reload_chord_shun(t, c.id, RELOAD_CHORD_SHUN_MS);
    }
}

uint64_t reload_chord_candidates_deadline(const struct reload_topology *t)
{
    uint64_t deadline = t->repair_due_ms;
    for (size_t i = 0; i < t->candidate_count; i++)
        if (t->candidates[i].until_ms < deadline)
            deadline = t->candidates[i].until_ms;
    return deadline;
}

/* --- nodes that just failed; their ids live on in other peers' Updates for a while --- */

static struct reload_chord_shunned *find_shunned(struct reload_topology *t,
                                                 struct reload_chord_id id)
{
    for (size_t i = 0; i < t->shunned_count; i++)
        if (reload_chord_id_equal(t->shunned[i].id, id))
            return &t->shunned[i];
    return NULL;
}

void reload_chord_shun(struct reload_topology *t, struct reload_chord_id id, uint64_t ms)
{
    struct reload_chord_shunned *entry = find_shunned(t, id);
    if (!entry) { /* the oldest makes room */
        entry = &t->shunned[t->shunned_next];
        t->shunned_next = (t->shunned_next + 1) % RELOAD_CHORD_SHUNNED_MAX;
        if (t->shunned_count < RELOAD_CHORD_SHUNNED_MAX)
            t->shunned_count++;
        *entry = (struct reload_chord_shunned){ .id = id };
    }
    entry->until_ms = t->now_ms + (ms << entry->failures);
    if (entry->until_ms < t->repair_due_ms)
        t->repair_due_ms = entry->until_ms;
    if (entry->failures < 3)
        entry->failures++;
}

bool reload_chord_shunned(const struct reload_topology *t, struct reload_chord_id id)
{
    for (size_t i = 0; i < t->shunned_count; i++)
        if (reload_chord_id_equal(t->shunned[i].id, id))
            return t->shunned[i].until_ms > t->now_ms;
    return false;
}

void reload_chord_unshun(struct reload_topology *t, struct reload_chord_id id)
{
    struct reload_chord_shunned *entry = find_shunned(t, id);
    if (entry)
        *entry = (struct reload_chord_shunned){ .id = id };
}
