#ifndef RELOAD_TOPOLOGY_MESH_MEMBERS_H
#define RELOAD_TOPOLOGY_MESH_MEMBERS_H

#include "reload/wire/id.h"

/* The nodes a mesh peer has links to, and itself, in ascending order of their Node-IDs. */

#define RELOAD_MESH_NODES_MAX 512

struct reload_mesh_node {
    struct reload_node_id id;
    bool member;  /* a peer of the overlay; else a client or still joining */
    bool suspect; /* its link misses acks */
    bool lost;    /* it was asked and is silent: no member until it is heard again, check.c */
    bool owed;    /* is to get an Update */
    uint32_t check_cookie;   /* of the Ping whose answer shows that it lives; 0: none is out */
    uint64_t check_until_ms; /* lost from then on; RELOAD_NEVER: that is decided */
};

struct reload_mesh_members {
    struct reload_mesh_node nodes[RELOAD_MESH_NODES_MAX];
    size_t count;
};

/* NULL when it is not there. Pointers are good until the next add or remove. */
struct reload_mesh_node *reload_mesh_find(struct reload_mesh_members *members,
                                          const struct reload_node_id *id);
const struct reload_mesh_node *reload_mesh_find_const(const struct reload_mesh_members *members,
                                                      const struct reload_node_id *id);
/* Finds or makes it; NULL when RELOAD_MESH_NODES_MAX are there. */
struct reload_mesh_node *reload_mesh_add(struct reload_mesh_members *members,
                                         const struct reload_node_id *id);
void reload_mesh_remove(struct reload_mesh_members *members, const struct reload_node_id *id);

/* The member responsible for an id: the first at or after it, going round. NULL: no member. `skip`
 * further members are passed over; NULL when there are not that many. `usable` leaves out suspects.
 * Nobody lost counts, here and below. */
const struct reload_mesh_node *reload_mesh_owner(const struct reload_mesh_members *members,
                                                 struct reload_slice id, size_t skip, bool usable);
/* The member before an id, going round; NULL when there is none but the id itself. */
const struct reload_mesh_node *reload_mesh_before(const struct reload_mesh_members *members,
                                                  struct reload_slice id);
/* Lies a lost member at or after an id, before that node? */
bool reload_mesh_lost_between(const struct reload_mesh_members *members, struct reload_slice id,
                              const struct reload_node_id *node_id);
size_t reload_mesh_member_count(const struct reload_mesh_members *members);

#endif
