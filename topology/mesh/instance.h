#ifndef RELOAD_TOPOLOGY_MESH_INSTANCE_H
#define RELOAD_TOPOLOGY_MESH_INSTANCE_H

#include "reload/node/topology.h"
#include "topology/mesh/members.h"

/* One instance of the plug-in, and what its files offer each other. Private to topology/mesh. */

#define RELOAD_MESH_ID_LEN   16
#define RELOAD_MESH_REPLICAS 2
#define RELOAD_MESH_JOINERS  32     /* joining nodes that are being given their data */
#define RELOAD_MESH_LOOK_MS  120000 /* between looks for peers behind a cut */

/* what an answer, Attach or push is about */
enum reload_mesh_cookie {
    RELOAD_MESH_FOR_JOIN = 1,
    RELOAD_MESH_FOR_HOME,            /* a client's Attach to the peer responsible for it
                                      */
    RELOAD_MESH_FOR_MEMBER,          /* Attach to a member that another told of */
    RELOAD_MESH_FOR_LEAVE,           /* Leave, and the push before it */
    RELOAD_MESH_FOR_REPLICAS,        /* push */
    RELOAD_MESH_FOR_JOINER = 1000,   /* push; plus a serial number below RELOAD_MESH_SERIALS */
    RELOAD_MESH_FOR_CHECK = 2000000, /* Ping; the same */
};
#define RELOAD_MESH_SERIALS 1000000

struct reload_mesh_joiner {
    struct reload_node_id id;
    uint32_t cookie;
};

struct reload_topology {
    const struct reload_topology_host *host;
    uint64_t now_ms;
    enum reload_topology_state state;
    struct reload_mesh_members members; /* with self: a member once joined */
    struct reload_node_id home;         /* bootstrap node; a client's peer. len 0: none */
    bool asked_join, leaving_told;
    uint64_t next_ms;     /* joining: the next attempt; joined: the next periodic Update */
    uint64_t replicas_ms; /* the replica set changed: push then */
    uint64_t updates_ms;  /* Updates are owed: send then */
    uint64_t look_ms;     /* joined: the next look for peers that a cut has made another overlay */
    struct reload_node_id holders[RELOAD_MESH_REPLICAS]; /* replicas were pushed to these */
    struct reload_node_id before; /* where the own range began when last looked at; len 0: self */
    struct reload_mesh_joiner joiners[RELOAD_MESH_JOINERS];
    size_t joiner_count, leaves_out;
    uint32_t serial;
};

static inline bool reload_mesh_is_client(const struct reload_topology *t)
{
    return t->host->role != RELOAD_ROLE_PEER;
}

/* A while from now, random around RELOAD_MESH_LOOK_MS. */
static inline uint64_t reload_mesh_next_look(struct reload_topology *t)
{
    uint64_t ms = reload_random_u64(t->host->random) % RELOAD_MESH_LOOK_MS;
    return t->now_ms + RELOAD_MESH_LOOK_MS / 2 + ms;
}

/* --- life.c: joining, leaving, and what follows from a change of the members --- */
void reload_mesh_enter(struct reload_topology *t, enum reload_topology_state state,
                       const char *text);
/* Goes on with joining if all that it needs is there. */
void reload_mesh_join_go_on(struct reload_topology *t);
void reload_mesh_admitted(struct reload_topology *t);
void reload_mesh_leave(struct reload_topology *t);
void reload_mesh_leave_pushed(struct reload_topology *t);
void reload_mesh_changed(struct reload_topology *t);
void reload_mesh_push_replicas(struct reload_topology *t);
bool reload_mesh_owns(const struct reload_topology *t, struct reload_slice id);
/* A client heard from its peer who the members are: goes to the one responsible for it. */
void reload_mesh_follow_home(struct reload_topology *t, struct reload_slice list);
void reload_mesh_attach(struct reload_topology *t, const struct reload_node_id *id,
                        const struct reload_node_id *via, uint32_t cookie);

/* The link to it is gone for good. */
void reload_mesh_gone(struct reload_topology *t, const struct reload_node_id *id);
/* A value did not reach that holder, or none: replicas are pushed there again. */
void reload_mesh_replicas_missed(struct reload_topology *t, const struct reload_node_id *holder);

/* --- check.c: whether a silent member is gone --- */
/* The link to this node misses acks. */
void reload_mesh_check_suspect(struct reload_topology *t, struct reload_mesh_node *node);
/* Others do without this node. */
void reload_mesh_check_avoided(struct reload_topology *t, const struct reload_node_id *id);
/* The node was heard: it lives. */
void reload_mesh_check_heard(struct reload_topology *t, struct reload_mesh_node *node);
void reload_mesh_check_answered(struct reload_topology *t,
                                const struct reload_topology_answer *answer);
void reload_mesh_checks_tick(struct reload_topology *t);
uint64_t reload_mesh_checks_deadline(const struct reload_topology *t);
/* Whether a check that is under way decides who answers for that id. */
bool reload_mesh_check_decides(const struct reload_topology *t, struct reload_slice id);

/* --- messages.c: the bodies --- */
uint16_t reload_mesh_handle(struct reload_topology *t,
                            const struct reload_topology_message *message,
                            struct reload_writer *body);
void reload_mesh_owe_all(struct reload_topology *t);
/* An Update to that node, at once. */
void reload_mesh_owe(struct reload_topology *t, struct reload_mesh_node *node);
void reload_mesh_send_owed(struct reload_topology *t);
void reload_mesh_send_join(struct reload_topology *t, const struct reload_node_id *to);
void reload_mesh_send_leaves(struct reload_topology *t);
void reload_mesh_joiner_pushed(struct reload_topology *t, uint32_t cookie, int error);

#endif
