#ifndef RELOAD_NODE_ATTACH_H
#define RELOAD_NODE_ATTACH_H

#include "reload/node/request.h"
#include "reload/node/transaction.h"

/* Attach and AppAttach (RFC 6940 s6.5.1, s6.5.2), as the rest of the node sees them. */

struct reload_attach_record;
struct reload_app_attach_record;
struct reload_offer;

struct reload_attaches {
    struct reload_attach_record *first;
    size_t count;
};

enum reload_waiter_kind {
    RELOAD_WAITER_NONE,
    RELOAD_WAITER_TOPOLOGY,    /* id: cookie */
    RELOAD_WAITER_APPLICATION, /* id: request */
};

struct reload_waiter {
    enum reload_waiter_kind kind;
    uint64_t id;
};

int reload_attach_start(struct reload_node *node, const struct reload_node_id *via,
                        bool to_resource, struct reload_slice destination, bool send_update,
                        struct reload_waiter waiter);
/* The body of an AttachReq ("passive") or AttachAns ("active"), in the arena. RELOAD_E_NOSPACE. */
int reload_attach_write(struct reload_node *node, const char *role, bool send_update,
                        const struct reload_offer *own, struct reload_slice *body);
void reload_attach_handle(struct reload_node *node, struct reload_request *request);
void reload_attach_answered(struct reload_node *node, struct reload_answer *answer);
/* A link came up that proves these Node-IDs. Says which one it is for when an Attach waited for
 * it; false when none did. RELOAD_E_FORBIDDEN when it must be closed. */
int reload_attach_link_up(struct reload_node *node, struct reload_slot *slot, uint32_t number,
                          struct reload_node_id *bound);
/* A link was bound to a node: attaches to it have succeeded. */
void reload_attach_bound(struct reload_node *node, const struct reload_node_id *id);
/* Whether the number is that of an Attach. */
bool reload_attach_open_failed(struct reload_node *node, uint32_t number);
/* The Attach that the host knows by that number; NULL: none, or not any more. */
struct reload_attach_record *reload_attach_numbered(const struct reload_node *node,
                                                    uint32_t number);
void reload_attach_gathered(struct reload_node *node, struct reload_attach_record *record,
                            const struct reload_offer *own);
void reload_attach_due(struct reload_node *node, struct reload_attach_record *record);
struct reload_attach_record *reload_attach_of_timer(struct reload_timer *timer);
void reload_attaches_fini(struct reload_node *node);
void reload_waiter_tell(struct reload_node *node, struct reload_waiter waiter, int error,
                        uint16_t error_code, const struct reload_node_id *node_id);

struct reload_app_attaches {
    struct reload_app_attach_record *first;
    size_t count;
};

struct reload_app_attach_record *reload_app_attach_numbered(const struct reload_node *node,
                                                            uint32_t number);
void reload_app_attach_gathered(struct reload_node *node, struct reload_app_attach_record *record,
                                const struct reload_offer *own);
bool reload_app_attach_open_failed(struct reload_node *node, uint32_t number);
void reload_app_attach_due(struct reload_node *node, struct reload_app_attach_record *record);
struct reload_app_attach_record *reload_app_attach_of_timer(struct reload_timer *timer);
void reload_app_attaches_fini(struct reload_node *node);
void reload_app_attach_handle(struct reload_node *node, struct reload_request *request);
void reload_app_attach_answered(struct reload_node *node, struct reload_answer *answer);

#define RELOAD_CANDIDATES_MAX 8               /* addresses dialled for one link */
struct reload_dial_plan {                     /* what to try towards a far end */
    enum reload_link_type type;               /* of all of them */
    struct reload_ip_address_port *addresses; /* by falling priority, in the arena */
    size_t count;
};
/* Own No-ICE candidates, in the arena. RELOAD_E_NOMEM. */
int reload_candidates_own(struct reload_node *node, struct reload_offer *own);
/* Among a message's candidates those of the link type that this node likes best. count 0: none is
 * of a type it has. RELOAD_E_NOMEM. */
int reload_candidates_read(struct reload_node *node, struct reload_slice candidates,
                           struct reload_dial_plan *plan);

#endif
