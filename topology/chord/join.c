#include "reload/wire/join.h"
#include "reload/wire/message.h"
#include "reload/wire/route_query.h"
#include "topology/chord/instance.h"

/* Joining (RFC 6940 s10.5) as a state machine.
 *
 *   IDLE -> BOOTSTRAP -> FIND_AP -> LEARN -> CONNECT -> JOIN -> ACQUIRE -> INTRODUCE -> JOINED
 *               ^           ^         |         |         |        |                      |
 *               |           +---------+---------+---------+--------+ the AP moved         |
 *             WAIT <------------------ any failure ------------------- all peers lost <---+
 *
 * When many nodes join at one peer, each admission makes the Admitting Peer of the others another
 * one; its Updates tell them (AP_MOVED), and they go on to the peer that was admitted. */

#define STAY RELOAD_CHORD_STATE_COUNT

#define BOOTSTRAP_MS 30000
#define FIND_AP_MS   30000
#define LEARN_MS     10000
#define CONNECT_MS   20000
#define JOIN_MS      20000
#define ACQUIRE_MS   30000
#define INTRODUCE_MS 15000
#define LEAVING_MS   5000
#define RETRY_MS     500 /* doubles with each failed attempt */
#define RETRY_MAX_MS 30000

#define S(state)         RELOAD_CHORD_##state
#define ON(event, state) [RELOAD_CHORD_##event] = (RELOAD_CHORD_##state + 1)
/* An empty cell (0) means that the event changes nothing in that state. */
static const uint8_t peer_table[RELOAD_CHORD_STATE_COUNT][RELOAD_CHORD_EVENT_COUNT] = {
    [S(IDLE)] = { ON(START, BOOTSTRAP), ON(START_FIRST, JOINED), ON(LEAVE, LEFT) },
    [S(BOOTSTRAP)] = { ON(LINKED, FIND_AP), ON(UNLINKED, WAIT), ON(ADMITTED, INTRODUCE),
                       ON(TIMEOUT, WAIT), ON(REUNITED, JOINED), ON(LEAVE, LEFT) },
    [S(FIND_AP)] = { ON(AP_ATTACHED, LEARN), ON(AP_REFUSED, WAIT), ON(ADMITTED, INTRODUCE),
                     ON(TIMEOUT, WAIT), ON(LEAVE, LEFT) },
    [S(LEARN)] = { ON(AP_UPDATE, CONNECT), ON(AP_MOVED, FIND_AP), ON(AP_LOST, WAIT),
                   ON(ADMITTED, INTRODUCE), ON(TIMEOUT, WAIT), ON(LEAVE, LEFT) },
    [S(CONNECT)] = { ON(SETTLED, JOIN), ON(ADMITTED, INTRODUCE), ON(AP_MOVED, FIND_AP),
                     ON(AP_LOST, WAIT), ON(TIMEOUT, JOIN), ON(LEAVE, LEFT) },
    [S(JOIN)] = { ON(JOIN_ANSWERED, ACQUIRE), ON(JOIN_REFUSED, WAIT), ON(ADMITTED, INTRODUCE),
                  ON(AP_MOVED, FIND_AP), ON(AP_LOST, WAIT), ON(TIMEOUT, WAIT), ON(LEAVE, LEFT) },
    [S(ACQUIRE)] = { ON(ADMITTED, INTRODUCE), ON(AP_UPDATE, ACQUIRE), ON(AP_MOVED, FIND_AP),
                     ON(AP_LOST, WAIT), ON(TIMEOUT, WAIT), ON(LEAVE, LEFT) },
    [S(INTRODUCE)] = { ON(SETTLED, JOINED), ON(TIMEOUT, JOINED), ON(ISOLATED, WAIT),
                       ON(LEAVE, LEAVING) },
    [S(JOINED)] = { ON(ISOLATED, WAIT), ON(LEAVE, LEAVING) },
    [S(WAIT)] = { ON(TIMEOUT, BOOTSTRAP), ON(ADMITTED, INTRODUCE), ON(REUNITED, JOINED),
                  ON(LEAVE, LEFT) },
    [S(LEAVING)] = { ON(DONE, LEFT), ON(TIMEOUT, LEFT) },
    [S(LEFT)] = { ON(START, BOOTSTRAP), ON(START_FIRST, JOINED) },
};

/* s4.5.2: a client never joins. It links to the peer responsible for its Node-ID and follows it. */
static const uint8_t client_table[RELOAD_CHORD_STATE_COUNT][RELOAD_CHORD_EVENT_COUNT] = {
    [S(IDLE)] = { ON(START, BOOTSTRAP), ON(LEAVE, LEFT) },
    [S(BOOTSTRAP)] = { ON(LINKED, FIND_AP), ON(UNLINKED, WAIT), ON(TIMEOUT, WAIT),
                       ON(LEAVE, LEFT) },
    [S(FIND_AP)] = { ON(AP_ATTACHED, JOINED), ON(AP_REFUSED, WAIT), ON(TIMEOUT, WAIT),
                     ON(LEAVE, LEFT) },
    [S(JOINED)] = { ON(AP_MOVED, FIND_AP), ON(AP_LOST, WAIT), ON(LEAVE, LEFT) },
    [S(WAIT)] = { ON(TIMEOUT, BOOTSTRAP), ON(LEAVE, LEFT) },
    [S(LEFT)] = { ON(START, BOOTSTRAP) },
};

/* s4.2.1: or it stays with the peer it is linked to, whichever that is. */
static const uint8_t any_client_table[RELOAD_CHORD_STATE_COUNT][RELOAD_CHORD_EVENT_COUNT] = {
    [S(IDLE)] = { ON(START, BOOTSTRAP), ON(LEAVE, LEFT) },
    [S(BOOTSTRAP)] = { ON(LINKED, JOINED), ON(UNLINKED, WAIT), ON(TIMEOUT, WAIT), ON(LEAVE, LEFT) },
    [S(JOINED)] = { ON(AP_LOST, WAIT), ON(LEAVE, LEFT) },
    [S(WAIT)] = { ON(TIMEOUT, BOOTSTRAP), ON(LEAVE, LEFT) },
    [S(LEFT)] = { ON(START, BOOTSTRAP) },
};

enum reload_chord_state reload_chord_next_state(enum reload_role role,
                                                enum reload_chord_state state,
                                                enum reload_chord_event event)
{
    uint8_t cell = role == RELOAD_ROLE_PEER     ? peer_table[state][event]
                   : role == RELOAD_ROLE_CLIENT ? client_table[state][event]
                                                : any_client_table[state][event];
    return cell ? (enum reload_chord_state)(cell - 1) : STAY;
}

const char *reload_chord_state_name(enum reload_chord_state state)
{
    static const char *const names[] = {
        "idle",    "bootstrap", "find-ap", "learn", "connect", "join",
        "acquire", "introduce", "joined",  "wait",  "leaving", "left",
    };
    return state < RELOAD_CHORD_STATE_COUNT ? names[state] : "?";
}

static enum reload_topology_state outward(enum reload_chord_state state)
{
    switch (state) {
    case RELOAD_CHORD_IDLE: return RELOAD_TOPOLOGY_IDLE;
    case RELOAD_CHORD_JOINED: return RELOAD_TOPOLOGY_JOINED;
    case RELOAD_CHORD_LEAVING: return RELOAD_TOPOLOGY_LEAVING;
    case RELOAD_CHORD_LEFT: return RELOAD_TOPOLOGY_LEFT;
    case RELOAD_CHORD_BOOTSTRAP:
    case RELOAD_CHORD_FIND_AP:
    case RELOAD_CHORD_LEARN:
    case RELOAD_CHORD_CONNECT:
    case RELOAD_CHORD_JOIN:
    case RELOAD_CHORD_ACQUIRE:
    case RELOAD_CHORD_INTRODUCE:
    case RELOAD_CHORD_WAIT:
    case RELOAD_CHORD_STATE_COUNT: break;
    }
    return RELOAD_TOPOLOGY_JOINING;
}

/* For people: what led into the state. */
static const char *reason(enum reload_chord_event event)
{
    static const char *const texts[RELOAD_CHORD_EVENT_COUNT] = {
        [RELOAD_CHORD_START] = "looking for a bootstrap node",
        [RELOAD_CHORD_START_FIRST] = "the overlay's first peer",
        [RELOAD_CHORD_LINKED] = "linked to a bootstrap node",
        [RELOAD_CHORD_UNLINKED] = "no bootstrap node can be reached; trying again",
        [RELOAD_CHORD_AP_ATTACHED] = "linked to the responsible peer",
        [RELOAD_CHORD_AP_REFUSED] = "no link to the responsible peer; trying again",
        [RELOAD_CHORD_AP_MOVED] = "another peer is responsible now",
        [RELOAD_CHORD_AP_LOST] = "the responsible peer is gone; trying again",
        [RELOAD_CHORD_SETTLED] = "part of the ring",
        [RELOAD_CHORD_JOIN_REFUSED] = "the Join was refused; trying again",
        [RELOAD_CHORD_ISOLATED] = "all neighbours are lost; joining again",
        [RELOAD_CHORD_REUNITED] = "a peer of the overlay is back",
        [RELOAD_CHORD_LEAVE] = "leaving",
        [RELOAD_CHORD_DONE] = "left",
        [RELOAD_CHORD_TIMEOUT] = "no answer in time; trying again",
    };
    return texts[event] ? texts[event] : "";
}

/* --- what entering a state does --- */

static void enter_bootstrap(struct reload_topology *t)
{
    t->has_ap = t->has_next_ap = false;
    t->partition_check = false;
    t->host->want_bootstrap(t->host->context);
}

/* s10.5 step 2, s11.4: Attach to Resource-ID n+1. A client does the same: n itself would come back
 * over its own link (s10.3), and both have the same owner. After AP_MOVED the new AP is known by
 * its Node-ID, and s10.6 wants the way over the peer that told. A peer that lost its ring answers
 * for n+1 itself: it has to name the bootstrap node. */
static void enter_find_ap(struct reload_topology *t)
{
    for (size_t i = 0; i < t->candidate_count; i++)
        t->candidates[i].blocking = false;
    t->ap_cookie = reload_chord_cookie(t, RELOAD_CHORD_FOR_AP);
    struct reload_chord_id target = t->has_next_ap ? t->next_ap : reload_chord_id_next(t->self);
    struct reload_node_id to = reload_chord_id_node(target);
    struct reload_node_id via = reload_chord_id_node(t->has_next_ap ? t->ap : t->bootstrap);
    bool over = t->has_next_ap || (t->owner && t->has_bootstrap);
    t->host->attach(t->host->context, over ? &via : NULL, !t->has_next_ap,
                    reload_node_id_slice(&to), true, t->ap_cookie);
    t->has_next_ap = false;
}

/* s10.5 step 3: Attach to everybody that should be in the Neighbor Table. */
static void enter_connect(struct reload_topology *t)
{
    const struct reload_chord_peer *ap = reload_chord_tables_find(&t->tables, t->ap);
    if (ap && ap->told) {
        struct reload_chord_lists lists = ap->lists;
        reload_chord_consider_lists(t, t->ap, &lists);
    }
}

/* s10.5 step 5, s6.4.2.1 */
static void enter_join(struct reload_topology *t)
{
    uint8_t body[64];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    struct reload_join_req req = { .joining_peer_id = t->host->self };
    if (reload_join_req_encode(&w, &req) != 0)
        return;
    struct reload_chord_peer *ap = reload_chord_tables_find(&t->tables, t->ap);
    if (ap)
        ap->asked = true;
    t->join_cookie = reload_chord_cookie(t, RELOAD_CHORD_FOR_JOIN);
    reload_chord_request(t, RELOAD_JOIN_REQ, t->ap, reload_writer_slice(&w), t->join_cookie);
}

/* s10.5 step 7: part of the ring. What the AP told last may still want Attaches first. */
static void enter_introduce(struct reload_topology *t)
{
    enter_connect(t);
    reload_chord_range_take(t);
    reload_chord_replicas_assume(t, t->ap);
}

/* s10.5 step 9, s12: Updates to everybody we are linked to. */
static void enter_joined(struct reload_topology *t)
{
    t->attempts = 0;
    if (reload_chord_is_client(t)) {
        if (t->host->role == RELOAD_ROLE_CLIENT_ANY)
            t->ap = t->bootstrap;
        t->has_ap = true;
        return;
    }
    if (!t->owner)
        reload_chord_range_take(t);
    for (size_t i = 0; i < t->tables.count; i++) {
        struct reload_chord_peer *peer = &t->tables.peers[i];
        if (!peer->owed)
            peer->owed = reload_chord_update_type(t, peer);
    }
    reload_chord_stabilize_start(t);
    reload_chord_fingers_build(t);
}

static uint64_t retry_ms(struct reload_topology *t)
{
    unsigned doublings = t->attempts < 6 ? t->attempts : 6;
    uint64_t ms = (uint64_t)RETRY_MS << doublings;
    t->attempts++;
    return reload_chord_around(t, ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS);
}

static uint64_t patience_ms(struct reload_topology *t, enum reload_chord_state state)
{
    switch (state) {
    case RELOAD_CHORD_BOOTSTRAP: return BOOTSTRAP_MS;
    case RELOAD_CHORD_FIND_AP: return FIND_AP_MS;
    case RELOAD_CHORD_LEARN: return LEARN_MS;
    case RELOAD_CHORD_CONNECT: return CONNECT_MS;
    case RELOAD_CHORD_JOIN: return JOIN_MS;
    case RELOAD_CHORD_ACQUIRE: return ACQUIRE_MS;
    case RELOAD_CHORD_INTRODUCE: return INTRODUCE_MS;
    case RELOAD_CHORD_WAIT: return retry_ms(t);
    case RELOAD_CHORD_LEAVING: return LEAVING_MS;
    case RELOAD_CHORD_IDLE:
    case RELOAD_CHORD_JOINED:
    case RELOAD_CHORD_LEFT:
    case RELOAD_CHORD_STATE_COUNT: break;
    }
    return RELOAD_NEVER;
}

static void act(struct reload_topology *t)
{
    switch (t->state) {
    case RELOAD_CHORD_BOOTSTRAP: enter_bootstrap(t); break;
    case RELOAD_CHORD_FIND_AP: enter_find_ap(t); break;
    case RELOAD_CHORD_CONNECT: enter_connect(t); break;
    case RELOAD_CHORD_JOIN: enter_join(t); break;
    case RELOAD_CHORD_INTRODUCE: enter_introduce(t); break;
    case RELOAD_CHORD_JOINED: enter_joined(t); break;
    case RELOAD_CHORD_LEAVING: reload_chord_leave_begin(t); break;
    case RELOAD_CHORD_LEFT: t->owner = false; break;
    case RELOAD_CHORD_IDLE:
    case RELOAD_CHORD_LEARN:
    case RELOAD_CHORD_ACQUIRE:
    case RELOAD_CHORD_WAIT:
    case RELOAD_CHORD_STATE_COUNT: break;
    }
}

/* The only place where `state` changes. */
static void enter(struct reload_topology *t, enum reload_chord_state state,
                  enum reload_chord_event event)
{
    t->state = state;
    uint64_t patience = patience_ms(t, state);
    t->state_until_ms = patience == RELOAD_NEVER ? RELOAD_NEVER : t->now_ms + patience;
    /* A failed attempt is told each time, so that a user learns why it takes so long (s6.4.2.1). */
    if (outward(state) != t->reported || state == RELOAD_CHORD_WAIT) {
        t->reported = outward(state);
        t->host->state(t->host->context, t->reported, reason(event));
    }
    act(t);
}

void reload_chord_step(struct reload_topology *t, enum reload_chord_event event)
{
    enum reload_chord_state next = reload_chord_next_state(t->host->role, t->state, event);
    if (next != STAY)
        enter(t, next, event);
}

void reload_chord_join_answered(struct reload_topology *t,
                                const struct reload_topology_answer *answer)
{
    if (answer->cookie != t->join_cookie)
        return;
    if (answer->error != 0) {
        reload_chord_step(t, RELOAD_CHORD_JOIN_REFUSED);
        return;
    }
    /* RFC 6940 s6.4.2.1: a JoinAns that the AP did not sign is discarded. */
    if (reload_chord_id_equal(reload_chord_id_of(&answer->signer), t->ap))
        reload_chord_step(t, RELOAD_CHORD_JOIN_ANSWERED);
}

/* The peer between us and the AP that comes first after us. */
static bool nearer_ap(const struct reload_topology *t, const struct reload_chord_lists *told,
                      struct reload_chord_id *out)
{
    struct reload_chord_id best = t->ap;
    for (size_t i = 0; i < told->predecessor_count; i++)
        if (reload_chord_between(told->predecessors[i], t->self, best))
            best = told->predecessors[i];
    *out = best;
    return !reload_chord_id_equal(best, t->ap);
}

/* R6940 s4.2.1: a client goes elsewhere when its peer is no longer responsible for it. */
static void client_told(struct reload_topology *t, const struct reload_chord_lists *told)
{
    if (t->host->role == RELOAD_ROLE_CLIENT && told->predecessor_count > 0 &&
        !reload_chord_within(t->self, told->predecessors[0], t->ap))
        reload_chord_step(t, RELOAD_CHORD_AP_MOVED);
}

/* RFC 6940 s10.5 step 7: the peer names us its predecessor. Any peer that we sent a Join counts:
 * the answer to an earlier attempt may be late. */
static bool admits(const struct reload_topology *t, const struct reload_chord_peer *peer)
{
    return peer->asked && peer->told && peer->lists.predecessor_count > 0 &&
           reload_chord_id_equal(peer->lists.predecessors[0], t->self);
}

static void ap_told(struct reload_topology *t, const struct reload_chord_lists *told)
{
    struct reload_chord_id nearer;
    if (nearer_ap(t, told, &nearer)) {
        t->next_ap = nearer;
        t->has_next_ap = true;
        reload_chord_step(t, RELOAD_CHORD_AP_MOVED);
    } else {
        reload_chord_step(t, RELOAD_CHORD_AP_UPDATE);
    }
}

/* s10.7: peer_ready has no lists, and a full Update is for who asks with a RouteQuery. */
static void ask_for_lists(struct reload_topology *t, struct reload_chord_peer *ap)
{
    struct reload_node_id next = reload_chord_id_node(reload_chord_id_next(t->self));
    const struct reload_route_query_req req = {
        .send_update = true,
        .destination = { .type = RELOAD_DEST_RESOURCE, .id = reload_node_id_slice(&next) },
    };
    uint8_t body[64];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    if (ap->asked_full || reload_route_query_req_encode(&w, &req) != 0)
        return;
    ap->asked_full = true;
    reload_chord_request(t, RELOAD_ROUTE_QUERY_REQ, ap->id, reload_writer_slice(&w),
                         reload_chord_cookie(t, RELOAD_CHORD_FOR_AP));
}

void reload_chord_join_told(struct reload_topology *t, struct reload_chord_id id)
{
    struct reload_chord_peer *peer = reload_chord_tables_find(&t->tables, id);
    if (!peer)
        return;
    bool is_ap = t->has_ap && reload_chord_id_equal(id, t->ap);
    if (!peer->told) {
        if (is_ap && peer->ready && t->state == RELOAD_CHORD_LEARN)
            ask_for_lists(t, peer);
        return;
    }
    if (reload_chord_is_client(t)) {
        if (is_ap)
            client_told(t, &peer->lists);
    } else if (admits(t, peer) && t->state != RELOAD_CHORD_INTRODUCE &&
               t->state != RELOAD_CHORD_JOINED) {
        t->ap = id;
        t->has_ap = true;
        reload_chord_step(t, RELOAD_CHORD_ADMITTED);
    } else if (is_ap && t->state >= RELOAD_CHORD_LEARN && t->state <= RELOAD_CHORD_ACQUIRE) {
        ap_told(t, &peer->lists);
    }
}

void reload_chord_join_settle(struct reload_topology *t)
{
    if (t->state == RELOAD_CHORD_LEARN)
        reload_chord_join_told(t, t->ap);
    if ((t->state == RELOAD_CHORD_CONNECT || t->state == RELOAD_CHORD_INTRODUCE) &&
        !reload_chord_candidates_block(t))
        reload_chord_step(t, RELOAD_CHORD_SETTLED);
}
