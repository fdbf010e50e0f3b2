#include "topology/chord/instance.h"

/* The Finger Table: the initial entries (RFC 6940 s10.5), searching for better ones (s10.7.4.2) and
 * its size (s10.7.4.3). Entries whose range begins among the own successors need no peer of their
 * own: the Neighbor Table covers them, and the table ends there. */

#define AT_ONCE   4   /* Attaches under way */
#define START_MS  500 /* after joining: neighbours first */
#define PACE_MS   100
#define REGROW_MS 5000 /* after the overlay was seen to have doubled */

static bool covered(const struct reload_topology *t, unsigned i)
{
    const struct reload_chord_lists *lists = &t->tables.lists;
    if (lists->successor_count == 0)
        return true;
    struct reload_chord_id last = lists->successors[lists->successor_count - 1];
    return reload_chord_within(reload_chord_finger_start(t->self, i), t->self, last);
}

static bool in_small_ring(const struct reload_topology *t)
{
    return t->tables.lists.successor_count < t->tables.list_size; /* everybody is a neighbour */
}

void reload_chord_fingers_build(struct reload_topology *t)
{
    t->fingers_begun = 0;
    t->fingers_due_ms = t->now_ms + reload_chord_around(t, START_MS);
}

static size_t under_way(const struct reload_topology *t)
{
    size_t count = 0;
    for (size_t i = 0; i < t->candidate_count; i++)
        count += !t->candidates[i].by_id;
    return count;
}

/* s10.5: entry i is set up by an Attach to n+2^(128-i). */
static void build(struct reload_topology *t)
{
    while (under_way(t) < AT_ONCE) {
        unsigned i = t->fingers_begun + 1;
        if (i > RELOAD_CHORD_ID_BITS || covered(t, i) || in_small_ring(t)) {
            t->fingers_due_ms = RELOAD_NEVER;
            t->fingers_log2_size = reload_chord_tables_log2_size(&t->tables);
            return;
        }
        t->fingers_begun = i;
        if (!reload_chord_tables_finger(&t->tables, i))
            reload_chord_attach_resource(t, reload_chord_finger_start(t->self, i));
    }
    t->fingers_due_ms = t->now_ms + PACE_MS;
}

/* s10.7.4.2: the Ping goes to an id drawn from the entry's range. */
static void search(struct reload_topology *t, unsigned i)
{
    reload_chord_ping(t, NULL, true, reload_chord_finger_random(t->self, i, t->host->random),
                      reload_chord_cookie(t, RELOAD_CHORD_FOR_FINGER));
}

/* One search an interval; each invalid entry, lowest i first, is chosen with probability 1/2. */
static void search_some(struct reload_topology *t)
{
    for (unsigned i = 1; i <= RELOAD_CHORD_ID_BITS && !covered(t, i); i++) {
        if (reload_chord_tables_finger(&t->tables, i))
            continue;
        if (reload_random_u64(t->host->random) & 1) {
            search(t, i);
            return;
        }
    }
}

void reload_chord_finger_answered(struct reload_topology *t,
                                  const struct reload_topology_answer *answer)
{
    if (answer->error != 0 || answer->signer.len != RELOAD_CHORD_ID_LEN)
        return;
    struct reload_chord_id id = reload_chord_id_of(&answer->signer);
    struct reload_chord_id distance = reload_chord_distance(t->self, id);
    if (reload_chord_id_equal(id, t->self) ||
        reload_chord_tables_finger(&t->tables, reload_chord_finger_of(distance)))
        return;
    reload_chord_attach_node(t, id, NULL); /* s10.6: routed conventionally */
}

/* RFC 6940 s10.7.2: with reactive recovery, a search for the entry that became invalid. */
void reload_chord_finger_failed(struct reload_topology *t, struct reload_chord_id id)
{
    unsigned i = reload_chord_finger_of(reload_chord_distance(t->self, id));
    if (t->state == RELOAD_CHORD_JOINED && t->host->config(t->host->context)->chord_reactive &&
        !covered(t, i) && !reload_chord_tables_finger(&t->tables, i))
        search(t, i);
}

void reload_chord_fingers_follow(struct reload_topology *t)
{
    /* s10.7.4.3: a grown overlay has peers in ranges that were empty before. */
    if (t->state == RELOAD_CHORD_JOINED && t->fingers_due_ms == RELOAD_NEVER && !in_small_ring(t) &&
        reload_chord_tables_log2_size(&t->tables) > t->fingers_log2_size) {
        t->fingers_begun = 0;
        t->fingers_due_ms = t->now_ms + reload_chord_around(t, REGROW_MS);
    }
}

void reload_chord_fingers_tick(struct reload_topology *t)
{
    if (t->state != RELOAD_CHORD_JOINED || reload_chord_is_client(t))
        return;
    if (t->fingers_due_ms <= t->now_ms)
        build(t);
    if (t->search_due_ms <= t->now_ms) {
        uint64_t interval_s = t->host->config(t->host->context)->chord_ping_interval_s;
        t->search_due_ms = t->now_ms + reload_chord_around(t, 1000 * interval_s);
        search_some(t);
    }
}

uint64_t reload_chord_fingers_deadline(const struct reload_topology *t)
{
    if (t->state != RELOAD_CHORD_JOINED || reload_chord_is_client(t))
        return RELOAD_NEVER;
    return t->fingers_due_ms < t->search_due_ms ? t->fingers_due_ms : t->search_due_ms;
}
