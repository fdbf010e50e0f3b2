#ifndef RELOAD_NODE_CONNECTION_H
#define RELOAD_NODE_CONNECTION_H

#include "reload/node/node.h"
#include "reload/node/table.h"
#include "reload/node/timers.h"

/* The Connection Table: the links that are up, whose they are, and what keeps them in order. */

struct reload_answer;

#define RELOAD_SLOTS_MAX 4096 /* what the 12 bits of a compressed id can name, s6.3.2.2 */

struct reload_slot {
    bool used;
    uint8_t generation; /* 3 bits; grows with each use of the slot */
    reload_link_id link;
    enum reload_link_type type;
    struct reload_node_id node_id;   /* what the link is bound to; len 0 while that is open */
    struct reload_node_id *node_ids; /* all that its certificate proves */
    size_t node_id_count;
    bool preferred; /* of the links to this node, the one that is used */
    bool inbound, suspect, bootstrap;
    bool dismissed; /* closing, as the topology wishes, which knows nothing of the node any more */
    bool pinged;    /* a Ping that is to show that it is alive is under way */
    bool attached;  /* made by an Attach: the far end expects no other */
    uint64_t second_until_ms; /* the far end may dial a second link, answering our Attach */
    uint32_t mtu;
    uint64_t up_since_ms, sent, received;
    struct reload_timer surplus; /* when it runs out, this superfluous link is closed */
};

struct reload_connections {
    struct reload_slot *slots;
    size_t capacity, next, count;
    struct reload_table by_link, by_node;
};

int reload_connections_init(struct reload_node *node);
void reload_connections_fini(struct reload_node *node);
/* What the host told of a link, behind the entry points of node.h. */
void reload_connection_up(struct reload_node *node, reload_link_id link,
                          const struct reload_node_link *info);
void reload_connection_suspect(struct reload_node *node, reload_link_id link, bool suspect);
void reload_connection_down(struct reload_node *node, reload_link_id link);
struct reload_slot *reload_connection_of_link(const struct reload_node *node, reload_link_id link);
/* The preferred link to a node; NULL when not connected. */
struct reload_slot *reload_connection_to(const struct reload_node *node,
                                         const struct reload_node_id *id);
bool reload_slot_proves(const struct reload_slot *slot, const struct reload_node_id *id);
/* The link is that node's: tells the topology and whoever waits for it. */
void reload_connection_bind(struct reload_node *node, struct reload_slot *slot,
                            const struct reload_node_id *id);
/* Our Attach went over this link: the far end may dial one of its own all the same (s6.5.1.13). */
void reload_connection_expect_second(struct reload_node *node, struct reload_slot *slot);
/* A message came over it: of several links to one node, follow the far end's choice. */
void reload_connection_heard(struct reload_node *node, struct reload_slot *slot);
struct reload_slot *reload_slot_of_timer(struct reload_timer *timer);
void reload_connection_surplus_due(struct reload_node *node, struct reload_slot *slot);
void reload_connection_close(struct reload_node *node, struct reload_slot *slot,
                             const char *reason);
/* The topology has done with that node: all links to it are closed, and a later one is news. */
void reload_connection_dismiss(struct reload_node *node, const struct reload_node_id *id,
                               const char *reason);

/* introduce.c: a fresh link that this node dialled and no Attach led to (s4.2.1). */
void reload_introduce(struct reload_node *node, struct reload_slot *slot);
void reload_introduce_answered(struct reload_node *node, struct reload_answer *answer);

/* keepalive.c: a link over which nothing comes. */
void reload_keepalive(struct reload_node *node, reload_link_id link);
void reload_keepalive_answered(struct reload_node *node, const struct reload_answer *answer);

#endif
