#ifndef RELOAD_NODE_ATTACH_RECORD_H
#define RELOAD_NODE_ATTACH_RECORD_H

#include "reload/node/state.h"
#include "reload/wire/attach.h"

/* What the files attach*.c share: one record for each far end that is being attached to (RFC 6940
 * s6.5.1), without ICE. The node that sent the AttachReq is the TLS server and waits; the one that
 * answers dials (s6.5.1.13). A node without an address to wait at dials itself, as TLS client, to
 * where the answer says.
 *
 *      start -> REQUESTED --answer--> EXPECTING ---.
 *                  |  \--answer, no own address--> DIALLING --link--> done
 *                  |--In_Progress--> DEFERRED --its Attach--^   ^
 *                  '--its Attach, own Node-ID smaller-----------|
 *      its Attach, none of ours under way ----------------------'
 *
 * A link that is bound to the far end, however it came about, ends the record with success. */

#define RELOAD_ATTACH_DIAL_MS     20000
#define RELOAD_ATTACH_WAITERS_MAX 8

enum reload_attach_state {
    RELOAD_ATTACH_REQUESTED, /* own request is out, unanswered */
    RELOAD_ATTACH_DEFERRED,  /* the far end said In_Progress: its own Attach is on the way */
    RELOAD_ATTACH_EXPECTING, /* the far end dials */
    RELOAD_ATTACH_DIALLING,  /* OPEN_LINK is out */
};

struct reload_attach_record {
    struct reload_attach_record *next;
    uint32_t number;
    enum reload_attach_state state;
    struct reload_node_id remote;           /* len 0: not known before the answer */
    struct reload_transaction *transaction; /* REQUESTED */
    bool send_update;                       /* we want an Update */
    bool owe_update;                        /* the far end wants one */
    struct reload_waiter waiters[RELOAD_ATTACH_WAITERS_MAX];
    size_t waiter_count;
    struct reload_timer timer;
};

/* --- attach_record.c --- */
struct reload_attach_record *reload_attach_find(const struct reload_node *node,
                                                const struct reload_node_id *remote);
/* NULL at the cap, which is counted, and without memory. */
struct reload_attach_record *reload_attach_add(struct reload_node *node,
                                               const struct reload_node_id *remote);
void reload_attach_enter(struct reload_node *node, struct reload_attach_record *record,
                         enum reload_attach_state state);
/* RELOAD_E_LIMIT. */
int reload_attach_add_waiter(struct reload_attach_record *record, struct reload_waiter waiter);
/* Takes it out and frees it: tells all who wait, or nobody. */
void reload_attach_end(struct reload_node *node, struct reload_attach_record *record, int error,
                       uint16_t error_code);
void reload_attach_discard(struct reload_node *node, struct reload_attach_record *record);

/* --- attach_link.c --- */
/* Asks the host for the link; without memory the record ends. */
void reload_attach_dial(struct reload_node *node, struct reload_attach_record *record,
                        const struct reload_dial_plan *plan);

#endif
