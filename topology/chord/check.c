#include "topology/chord/instance.h"

/* Whether a silent neighbour is gone (RFC 6940 s10.7.1: "as determined by connectivity pings").
 *
 * A dead datagram link is given up late, and only by who sends over it: the heir of a dead peer's
 * range need not notice at all, while requests for that range come to it and are sent back. So two
 * signs together count as the loss of a neighbour, and its link is kept in case it comes back:
 *
 *   its link misses acks          and   a Ping by way of another neighbour has no answer
 *   others do without it          and   a Ping over its link has no answer
 *
 * Others do without it when another neighbour dropped it, routes round it, or answers in its place.
 *
 * The Updates that follow a loss are that sign for the others around it. */

#define CHECK_MS 600 /* two rounds of a long path, or one and a retransmission */

static void ping(struct reload_topology *t, struct reload_chord_peer *peer,
                 const struct reload_chord_id *via)
{
    peer->check_cookie = reload_chord_cookie(t, RELOAD_CHORD_FOR_CHECK);
    peer->check_until_ms = t->now_ms + CHECK_MS;
    reload_chord_ping(t, via, false, peer->id, peer->check_cookie);
}

static bool worth_it(const struct reload_topology *t, const struct reload_chord_peer *peer)
{
    if (reload_chord_is_client(t) && !(t->has_ap && reload_chord_id_equal(t->ap, peer->id)))
        return false;
    return t->state == RELOAD_CHORD_JOINED && !peer->lost && !peer->check_cookie &&
           (peer->ready || reload_chord_is_client(t));
}

/* The peer next to it in the ring, as far as they are known: most surely it has a link. */
static const struct reload_chord_peer *next_to(const struct reload_topology *t,
                                               const struct reload_chord_peer *peer)
{
    const struct reload_chord_peer *first = t->tables.peers, *end = first + t->tables.count;
    for (size_t step = 1; step < t->tables.count; step++) {
        if (step < (size_t)(end - peer) && reload_chord_peer_usable(peer + step))
            return peer + step;
        if (step <= (size_t)(peer - first) && reload_chord_peer_usable(peer - step))
            return peer - step;
    }
    return NULL;
}

/* A client's only peer: another way to it is over a bootstrap node, which may have to be linked. */
static void check_ap(struct reload_topology *t, struct reload_chord_peer *ap)
{
    const struct reload_chord_peer *other =
        t->has_bootstrap ? reload_chord_tables_find(&t->tables, t->bootstrap) : NULL;
    if (other && other != ap && !other->suspect)
        ping(t, ap, &other->id);
    else
        t->host->want_bootstrap(t->host->context);
}

void reload_chord_check_bootstrap(struct reload_topology *t)
{
    struct reload_chord_peer *ap = t->has_ap ? reload_chord_tables_find(&t->tables, t->ap) : NULL;
    if (reload_chord_is_client(t) && ap && ap->suspect && t->has_bootstrap &&
        !reload_chord_id_equal(t->bootstrap, t->ap) && worth_it(t, ap))
        check_ap(t, ap);
}

void reload_chord_check_suspect(struct reload_topology *t, struct reload_chord_id id)
{
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    if (!peer || !worth_it(t, peer))
        return;
    if (reload_chord_is_client(t)) {
        check_ap(t, peer);
        return;
    }
    const struct reload_chord_peer *other = next_to(t, peer);
    if (other) /* with nobody left to ask, the link decides */
        ping(t, peer, &other->id);
}

/* Within what the list reaches, or beyond it? */
static bool reaches(const struct reload_chord_lists *told, struct reload_chord_id informant,
                    struct reload_chord_id id)
{
    if (told->successor_count > 0 &&
        reload_chord_between(id, informant, told->successors[told->successor_count - 1]))
        return true;
    return told->predecessor_count > 0 &&
           reload_chord_between(id, told->predecessors[told->predecessor_count - 1], informant);
}

void reload_chord_check_avoided(struct reload_topology *t, struct reload_chord_id id)
{
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    if (peer && !peer->suspect && worth_it(t, peer))
        ping(t, peer, NULL);
}

static void consider(struct reload_topology *t, struct reload_chord_id informant,
                     struct reload_chord_id id, const struct reload_chord_lists *now)
{
    if (!reload_chord_lists_hold(now, id) && reaches(now, informant, id))
        reload_chord_check_avoided(t, id);
}

void reload_chord_check_dropped(struct reload_topology *t, struct reload_chord_id informant,
                                const struct reload_chord_lists *before,
                                const struct reload_chord_lists *now)
{
    for (size_t i = 0; i < before->successor_count; i++)
        consider(t, informant, before->successors[i], now);
    for (size_t i = 0; i < before->predecessor_count; i++)
        consider(t, informant, before->predecessors[i], now);
}

void reload_chord_check_heard(struct reload_topology *t, struct reload_chord_id id)
{
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    if (!peer)
        return;
    peer->check_cookie = 0;
    if (peer->lost) {
        peer->lost = false;
        reload_chord_log(t, RELOAD_LOG_INFO, "is back:", id);
        reload_chord_changed(t, false);
    }
}

/* It answered another way: does its link still carry anything? Without a message it never tells. */
static void lives(struct reload_topology *t, struct reload_chord_id id)
{
    reload_chord_check_heard(t, id);
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    if (peer->suspect)
        reload_chord_ping(t, NULL, false, id, 0);
}

void reload_chord_check_answered(struct reload_topology *t,
                                 const struct reload_topology_answer *answer)
{
    for (size_t i = 0; i < t->tables.count; i++) {
        struct reload_chord_peer *peer = &t->tables.peers[i];
        if (peer->check_cookie != answer->cookie)
            continue;
        if (answer->error == 0)
            lives(t, peer->id);
        else if (answer->error == RELOAD_E_TIMEOUT && !peer->suspect)
            reload_chord_failed(t, peer->id, "no answer to a Ping");
        else
            peer->check_cookie = 0;
        return;
    }
}

static void lose(struct reload_topology *t, struct reload_chord_peer *peer)
{
    struct reload_chord_id id = peer->id;
    if (reload_chord_is_client(t)) { /* it goes to whoever is responsible now, s4.2.1 */
        reload_chord_failed(t, id, "silent, and given up:");
        return;
    }
    peer->lost = true;
    reload_chord_log(t, RELOAD_LOG_INFO, "silent, and taken as gone:", id);
    reload_chord_changed(t, true);
    reload_chord_repair(t);
    reload_chord_finger_failed(t, id);
    t->host->lost(t->host->context);
}

void reload_chord_checks_tick(struct reload_topology *t)
{
    for (size_t i = 0; i < t->tables.count; i++) {
        struct reload_chord_peer *peer = &t->tables.peers[i];
        if (!peer->check_cookie || peer->check_until_ms > t->now_ms)
            continue;
        peer->check_until_ms = RELOAD_NEVER;
        lose(t, peer);
    }
}

static bool pending(const struct reload_chord_peer *peer)
{
    return peer->check_cookie && peer->check_until_ms != RELOAD_NEVER;
}

static bool is_heir(const struct reload_topology *t, const struct reload_chord_peer *owner)
{
    return !reload_chord_tables_after(&t->tables, reload_chord_id_next(owner->id));
}

bool reload_chord_check_decides(const struct reload_topology *t, struct reload_chord_id id)
{
    struct reload_chord_id next;
    const struct reload_chord_peer *owner = reload_chord_tables_after(&t->tables, id);
    if (!t->owner || !owner || !pending(owner))
        return false;
    return is_heir(t, owner) || (reload_chord_tables_route(&t->tables, id, &next) &&
                                 reload_chord_id_equal(next, owner->id));
}

uint64_t reload_chord_checks_deadline(const struct reload_topology *t)
{
    uint64_t deadline = RELOAD_NEVER;
    for (size_t i = 0; i < t->tables.count; i++) {
        const struct reload_chord_peer *peer = &t->tables.peers[i];
        if (pending(peer) && peer->check_until_ms < deadline)
            deadline = peer->check_until_ms;
    }
    return deadline;
}
