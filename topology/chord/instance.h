#ifndef RELOAD_TOPOLOGY_CHORD_INSTANCE_H
#define RELOAD_TOPOLOGY_CHORD_INSTANCE_H

#include "reload/node/topology.h"
#include "topology/chord/tables.h"

/* One instance of the plug-in, and what its files offer each other. Private to topology/chord.
 *
 * Every operation of chord.c notes the time in `now_ms`, calls into the files, and ends with
 * conclude(), which lets waiting work proceed and computes the next deadline. */

#define RELOAD_CHORD_CANDIDATES_MAX      32                          /* Attaches under way, s10.6 */
#define RELOAD_CHORD_CANDIDATES_PER_PEER (2 * RELOAD_CHORD_LIST_MAX) /* that one peer told of */
#define RELOAD_CHORD_SHUNNED_MAX         64 /* nodes that just failed: not tried again at once */
#define RELOAD_CHORD_ADMISSIONS_MAX      64 /* joining nodes waiting their turn here */
#define RELOAD_CHORD_REPLICAS            2  /* s10.4: the successor and that peer's successor */
#define RELOAD_CHORD_LINKS_KEPT          32 /* below this many links none is closed for want of use */

#define RELOAD_CHORD_SETTLE_MS      200   /* set changes within this time share one Update */
#define RELOAD_CHORD_SETTLE_LOST_MS 50    /* the same after a failure: "immediate", s10.7.1 */
#define RELOAD_CHORD_HOLD_DOWN_MS   30000 /* s10.7.1: before replicas go to a replacement */
#define RELOAD_CHORD_FORGET_MS      60000 /* tables at rest so long before anything is deleted */
#define RELOAD_CHORD_UNNEEDED_MS    60000 /* a link without use for so long may be closed */
#define RELOAD_CHORD_SHUN_MS        5000  /* after a failed Attach; doubles up to 8 times that */

enum reload_chord_state {
    RELOAD_CHORD_IDLE,
    RELOAD_CHORD_BOOTSTRAP, /* s10.5 step 1: waiting for a link to a bootstrap node */
    RELOAD_CHORD_FIND_AP,   /* step 2: Attach to Resource-ID n+1 is out */
    RELOAD_CHORD_LEARN,     /* the AP's Update is awaited */
    RELOAD_CHORD_CONNECT,   /* step 3: Attaches to would-be neighbours are out */
    RELOAD_CHORD_JOIN,      /* step 5: Join is out */
    RELOAD_CHORD_ACQUIRE,   /* steps 6, 7: data arrives, then the AP's Update */
    RELOAD_CHORD_INTRODUCE, /* own range is ours; neighbours learned last are still being attached
                             */
    RELOAD_CHORD_JOINED,    /* step 9 is done */
    RELOAD_CHORD_WAIT,      /* before the next attempt */
    RELOAD_CHORD_LEAVING,
    RELOAD_CHORD_LEFT,
    RELOAD_CHORD_STATE_COUNT
};

enum reload_chord_event {
    RELOAD_CHORD_START,
    RELOAD_CHORD_START_FIRST, /* explicitly the overlay's first peer */
    RELOAD_CHORD_LINKED,      /* the bootstrap node is there */
    RELOAD_CHORD_UNLINKED,    /* none could be had */
    RELOAD_CHORD_AP_ATTACHED,
    RELOAD_CHORD_AP_REFUSED, /* the Attach to it failed */
    RELOAD_CHORD_AP_UPDATE,  /* it told its tables, and is still the right one */
    RELOAD_CHORD_AP_MOVED,   /* it told of a peer between us and itself: that one is the AP */
    RELOAD_CHORD_AP_LOST,
    RELOAD_CHORD_SETTLED, /* no Attach that matters is under way */
    RELOAD_CHORD_JOIN_ANSWERED,
    RELOAD_CHORD_JOIN_REFUSED,
    RELOAD_CHORD_ADMITTED, /* the AP names us its predecessor */
    RELOAD_CHORD_ISOLATED, /* no peer is left */
    RELOAD_CHORD_REUNITED, /* after that, one found us */
    RELOAD_CHORD_LEAVE,
    RELOAD_CHORD_DONE,    /* leaving is over */
    RELOAD_CHORD_TIMEOUT, /* of the state */
    RELOAD_CHORD_EVENT_COUNT
};

/* The cookie of every request, Attach and push: what it was for, and a serial number. */
enum reload_chord_purpose {
    RELOAD_CHORD_FOR_UPDATE = 1,
    RELOAD_CHORD_FOR_JOIN,
    RELOAD_CHORD_FOR_AP,        /* Attach of the join machine */
    RELOAD_CHORD_FOR_CANDIDATE, /* Attach */
    RELOAD_CHORD_FOR_FINGER,    /* Ping of a finger search */
    RELOAD_CHORD_FOR_PARTITION, /* Ping of partition detection */
    RELOAD_CHORD_FOR_CHECK,     /* Ping of a neighbour that may be gone */
    RELOAD_CHORD_FOR_ADMISSION, /* push */
    RELOAD_CHORD_FOR_REPLICA,   /* push */
    RELOAD_CHORD_FOR_HANDOVER,  /* push */
    RELOAD_CHORD_FOR_LEAVE,     /* Leave, and the push before it */
};

struct reload_chord_candidate { /* a node being attached */
    uint32_t cookie;
    bool by_id;    /* `id` is a node's; else the Attach goes to whoever is responsible for it */
    bool named;    /* by our AP, for the Neighbor Table */
    bool blocking; /* the join waits for its Attach */
    bool linked;   /* attached; its Update is awaited */
    struct reload_chord_id id, informant; /* informant: self when nobody told */
    uint64_t until_ms;                    /* given up then */
};

struct reload_chord_shunned {
    struct reload_chord_id id;
    uint64_t until_ms;
    uint8_t failures;
};

struct reload_chord_admission { /* a joining node at its Admitting Peer */
    struct reload_chord_id id;
    uint32_t cookie; /* of the push to it; 0 while it waits its turn */
    bool again;      /* it missed something: push once more */
    uint64_t until_ms;
};

struct reload_chord_replica { /* a member of the own replica set */
    struct reload_chord_id id;
    bool synced;     /* holds, or is being sent, everything of ours */
    uint32_t cookie; /* of the push under way */
    uint64_t due_ms;
};

struct reload_chord_handover { /* the arc (after, up_to] of data to hand to its owners */
    bool pending;
    bool grown; /* since the push under way began */
    struct reload_chord_id after, up_to;
    uint32_t cookie; /* of the push under way */
    uint64_t due_ms; /* of the next; of giving up on the one under way */
    unsigned failures;
};

struct reload_topology {
    const struct reload_topology_host *host;
    struct reload_chord_id self;
    uint64_t now_ms;   /* monotonic, of the call in progress */
    uint64_t start_ms; /* for the uptime of Updates */
    uint64_t wake_ms;  /* the next deadline */
    uint32_t serial;   /* of cookies */
    struct reload_chord_tables tables;

    /* join.c */
    enum reload_chord_state state;
    enum reload_topology_state reported;
    uint64_t state_until_ms;
    unsigned attempts;                             /* failed joins in a row */
    bool first;                                    /* told to be the whole overlay */
    bool owner;                                    /* responsible for (range_after, self] */
    struct reload_chord_id range_after;            /* equal to self: for everything */
    struct reload_chord_id ap, next_ap, bootstrap; /* AP: for a client, the peer it stays with */
    bool has_ap, has_next_ap, has_bootstrap;
    uint32_t ap_cookie, join_cookie;

    /* candidates.c */
    struct reload_chord_candidate candidates[RELOAD_CHORD_CANDIDATES_MAX];
    size_t candidate_count;
    struct reload_chord_shunned shunned[RELOAD_CHORD_SHUNNED_MAX];
    size_t shunned_count, shunned_next;
    uint64_t repair_due_ms; /* somebody is not shunned any more */

    /* admit.c */
    struct reload_chord_admission admissions[RELOAD_CHORD_ADMISSIONS_MAX];
    size_t admission_count;
    struct reload_chord_id admitted; /* who has just been given its data, while that is digested */
    bool has_admitted;

    /* update.c */
    uint64_t announce_due_ms;
    bool announce_range; /* the change concerns more than neighbours */

    /* replicas.c */
    struct reload_chord_replica replicas[RELOAD_CHORD_REPLICAS];
    size_t replica_count;
    uint64_t forget_due_ms;

    struct reload_chord_handover handover; /* handover.c */

    /* fingers.c, stabilize.c */
    unsigned fingers_begun;     /* initial Attaches: entries 1..this have been tried */
    unsigned fingers_log2_size; /* the overlay's size when fingers were last built */
    uint64_t fingers_due_ms;    /* building goes on */
    uint64_t search_due_ms, partition_due_ms, stabilize_due_ms, links_due_ms;
    bool partition_check; /* the next bootstrap() is for it */

    uint64_t checks_due_ms; /* check.c: the first that ends; RELOAD_NEVER: none is under way */

    /* leave.c */
    size_t leaves_out;     /* answers to come */
    uint32_t leave_cookie; /* of the push before */
};

/* --- chord.c --- */
uint32_t reload_chord_cookie(struct reload_topology *t, enum reload_chord_purpose purpose);
/* Tables changed, perhaps: refreshes them and does what follows from a change. lost: because a
 * peer failed, not because one came or left in order. */
void reload_chord_changed(struct reload_topology *t, bool lost);
/* An error's code, with words as its error_info (s6.3.3.1). */
uint16_t reload_chord_refuse(struct reload_writer *body, uint16_t code, const char *why);
/* Even random number of milliseconds in [1/2, 3/2) of the given. */
uint64_t reload_chord_around(struct reload_topology *t, uint64_t ms);
void reload_chord_request(struct reload_topology *t, uint16_t code, struct reload_chord_id to,
                          struct reload_slice body, uint32_t cookie);
/* via: the first Destination entry, or NULL. */
void reload_chord_ping(struct reload_topology *t, const struct reload_chord_id *via,
                       bool to_resource, struct reload_chord_id to, uint32_t cookie);
void reload_chord_log(struct reload_topology *t, enum reload_log_level level, const char *text,
                      struct reload_chord_id id);

static inline bool reload_chord_is_client(const struct reload_topology *t)
{
    return t->host->role != RELOAD_ROLE_PEER;
}

/* --- join.c: the machine of s10.5 --- */
void reload_chord_step(struct reload_topology *t, enum reload_chord_event event);
enum reload_chord_state reload_chord_next_state(enum reload_role role,
                                                enum reload_chord_state state,
                                                enum reload_chord_event event);
const char *reload_chord_state_name(enum reload_chord_state state);
void reload_chord_join_answered(struct reload_topology *t,
                                const struct reload_topology_answer *answer);
/* A peer sent its Update: if it is the AP, is it still the right one; does it admit us? */
void reload_chord_join_told(struct reload_topology *t, struct reload_chord_id id);
/* Lets the machine go on when it waits for Attaches that are all decided. */
void reload_chord_join_settle(struct reload_topology *t);

/* --- candidates.c: Attaches to new peers, s10.6 --- */
/* Attaches to id if it belongs into the Neighbor Table; `via` told of it. */
void reload_chord_consider(struct reload_topology *t, struct reload_chord_id id,
                           struct reload_chord_id via);
void reload_chord_consider_lists(struct reload_topology *t, struct reload_chord_id informant,
                                 const struct reload_chord_lists *lists);
/* Attaches to it whatever the tables say. via NULL: routed conventionally. */
void reload_chord_attach_node(struct reload_topology *t, struct reload_chord_id id,
                              const struct reload_chord_id *via);
void reload_chord_attach_resource(struct reload_topology *t, struct reload_chord_id resource);
void reload_chord_candidate_attached(struct reload_topology *t, uint32_t cookie, int error,
                                     const struct reload_node_id *node_id);
/* The node sent its Update, or is gone: whichever Attach was about it is decided. */
void reload_chord_candidate_decided(struct reload_topology *t, struct reload_chord_id id);
bool reload_chord_candidate_pending(const struct reload_topology *t, struct reload_chord_id id);
bool reload_chord_candidates_block(const struct reload_topology *t);
void reload_chord_candidates_tick(struct reload_topology *t);
uint64_t reload_chord_candidates_deadline(const struct reload_topology *t);
void reload_chord_shun(struct reload_topology *t, struct reload_chord_id id, uint64_t ms);
bool reload_chord_shunned(const struct reload_topology *t, struct reload_chord_id id);
void reload_chord_unshun(struct reload_topology *t, struct reload_chord_id id);
/* Looks through what the neighbours told for peers that are missing in the Neighbor Table. */
void reload_chord_repair(struct reload_topology *t);

/* --- admit.c: the Admitting Peer's side of s10.5 --- */
uint16_t reload_chord_handle_join(struct reload_topology *t,
                                  const struct reload_topology_message *message,
                                  struct reload_writer *body);
void reload_chord_admission_pushed(struct reload_topology *t, uint32_t cookie, int error);
/* A value stored meanwhile did not reach the joining node; false: that is not joining any more. */
bool reload_chord_admission_missed(struct reload_topology *t, struct reload_chord_id id);
void reload_chord_admission_drop(struct reload_topology *t, struct reload_chord_id id);
void reload_chord_admissions_go_on(struct reload_topology *t);
/* The node that values of this resource go to as well, while its range is being handed over. */
bool reload_chord_admission_takes(const struct reload_topology *t, struct reload_chord_id resource,
                                  struct reload_chord_id *joining);

/* --- update.c: s10.7, s10.7.3 --- */
uint16_t reload_chord_handle_update(struct reload_topology *t,
                                    const struct reload_topology_message *message,
                                    struct reload_writer *body);
void reload_chord_send_update(struct reload_topology *t, struct reload_chord_id to, uint8_t type);
/* The type that a node is to get, from what it is to us. */
uint8_t reload_chord_update_type(const struct reload_topology *t,
                                 const struct reload_chord_peer *peer);
/* A reactive Update is due to the neighbours, or to all of the Connection Table; at once, nearly,
 * when a peer was lost. */
void reload_chord_announce(struct reload_topology *t, bool all, bool lost);
void reload_chord_updates_tick(struct reload_topology *t);
uint64_t reload_chord_updates_deadline(const struct reload_topology *t);
void reload_chord_update_answered(struct reload_topology *t,
                                  const struct reload_topology_answer *answer);

/* --- failure.c: s10.7.1, s10.7.2 --- */
/* Closes the link to a peer that fails us, and does as if it had gone. */
void reload_chord_failed(struct reload_topology *t, struct reload_chord_id id, const char *why);
/* The link is gone for good. */
void reload_chord_gone(struct reload_topology *t, struct reload_chord_id id);

/* --- check.c: whether a silent neighbour is gone, s10.7.1 --- */
/* The link to this node misses acks. */
void reload_chord_check_suspect(struct reload_topology *t, struct reload_chord_id id);
/* A client that wanted another way to its peer has it. */
void reload_chord_check_bootstrap(struct reload_topology *t);
/* `informant` told its lists before and now: who of them is missing now, and is our neighbour? */
void reload_chord_check_dropped(struct reload_topology *t, struct reload_chord_id informant,
                                const struct reload_chord_lists *before,
                                const struct reload_chord_lists *now);
/* Another node routes round this one, or answers in its place. */
void reload_chord_check_avoided(struct reload_topology *t, struct reload_chord_id id);
/* The node was heard: it lives. */
void reload_chord_check_heard(struct reload_topology *t, struct reload_chord_id id);
void reload_chord_check_answered(struct reload_topology *t,
                                 const struct reload_topology_answer *answer);
/* Whether a check that is under way decides who gets a request for id: of the next hop, when that
 * is who owns it, or of an owner whose heir this peer is. */
bool reload_chord_check_decides(const struct reload_topology *t, struct reload_chord_id id);
void reload_chord_checks_tick(struct reload_topology *t);
uint64_t reload_chord_checks_deadline(const struct reload_topology *t);

/* --- range.c: responsibility, s10.1, and data that moves with it, s6.4.2.3, s10.7.3 --- */
bool reload_chord_owns(const struct reload_topology *t, struct reload_chord_id id);
/* This peer is part of the ring from now on. */
void reload_chord_range_take(struct reload_topology *t);
/* The predecessor may be another one: hands over what is lost, replicates what is won. */
void reload_chord_range_follow(struct reload_topology *t);
/* target NULL: each resource to the peer that owns it. */
void reload_chord_push(struct reload_topology *t, struct reload_chord_id after,
                       struct reload_chord_id up_to, const struct reload_chord_id *target,
                       uint8_t number, uint32_t cookie);

/* --- handover.c: data of other owners, s6.4.2.3 --- */
/* What is held of (after, up_to] goes to its owners. */
void reload_chord_handover_add(struct reload_topology *t, struct reload_chord_id after,
                               struct reload_chord_id up_to);
void reload_chord_handover_pushed(struct reload_topology *t, uint32_t cookie, int error);
/* Not every owner has acknowledged its data yet. */
bool reload_chord_handover_pending(const struct reload_topology *t);
void reload_chord_handover_go_on(struct reload_topology *t);
uint64_t reload_chord_handover_deadline(const struct reload_topology *t);

/* --- replicas.c: s10.4, s10.7.3 --- */
/* The successors may be others. */
void reload_chord_replicas_follow(struct reload_topology *t);
/* This node holds all our data already. */
void reload_chord_replicas_assume(struct reload_topology *t, struct reload_chord_id holder);
void reload_chord_replica_pushed(struct reload_topology *t, uint32_t cookie, int error);
/* A value did not reach that holder: everything is pushed to it again. */
void reload_chord_replica_failed(struct reload_topology *t, struct reload_chord_id holder);
void reload_chord_replicas_tick(struct reload_topology *t);
uint64_t reload_chord_replicas_deadline(const struct reload_topology *t);
bool reload_chord_replica_plausible(const struct reload_topology *t,
                                    struct reload_chord_id resource, struct reload_chord_id sender);

/* --- fingers.c: s10.5, s10.7.4.2, s10.7.4.3 --- */
void reload_chord_fingers_build(struct reload_topology *t);
void reload_chord_finger_failed(struct reload_topology *t, struct reload_chord_id id);
/* The overlay may have outgrown the table. */
void reload_chord_fingers_follow(struct reload_topology *t);
void reload_chord_fingers_tick(struct reload_topology *t);
uint64_t reload_chord_fingers_deadline(const struct reload_topology *t);
void reload_chord_finger_answered(struct reload_topology *t,
                                  const struct reload_topology_answer *answer);

/* --- stabilize.c: s10.7.4.1, s10.7.4.4, links without use --- */
void reload_chord_stabilize_start(struct reload_topology *t);
void reload_chord_stabilize_tick(struct reload_topology *t);
uint64_t reload_chord_stabilize_deadline(const struct reload_topology *t);
/* A bootstrap node for partition detection is there, or not (NULL). */
void reload_chord_partition_bootstrap(struct reload_topology *t,
                                      const struct reload_node_id *node_id);
void reload_chord_partition_answered(struct reload_topology *t,
                                     const struct reload_topology_answer *answer);

/* --- leave.c: s10.9 --- */
uint16_t reload_chord_handle_leave(struct reload_topology *t,
                                   const struct reload_topology_message *message,
                                   struct reload_writer *body);
void reload_chord_leave_begin(struct reload_topology *t); /* on entering LEAVING */
void reload_chord_leave_pushed(struct reload_topology *t, uint32_t cookie);
void reload_chord_leave_answered(struct reload_topology *t);

/* --- route_query.c: s10.8 --- */
uint16_t reload_chord_handle_route_query(struct reload_topology *t,
                                         const struct reload_topology_message *message,
                                         struct reload_writer *body);
/* Where a message for id would go: self, a connected node, or the choice of s10.3. */
bool reload_chord_next_peer(const struct reload_topology *t, struct reload_slice id,
                            struct reload_node_id *out);
bool reload_chord_next_hop(const struct reload_topology *t, struct reload_slice id,
                           struct reload_node_id *out);
/* Whom else, when that is `from`, who has just sent it. */
bool reload_chord_other_hop(struct reload_topology *t, struct reload_slice id,
                            struct reload_chord_id from, struct reload_chord_id *out);

#endif
