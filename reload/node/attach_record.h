#ifndef RELOAD_NODE_ATTACH_RECORD_H
#define RELOAD_NODE_ATTACH_RECORD_H

#include "reload/node/offer.h"
#include "reload/wire/attach.h"

/* What the files attach*.c share: one record for each far end that is being attached to (RFC 6940
 * s6.5.1). The node that sent the AttachReq is the TLS server, the one that answers it the client
 * (s6.5.1.13).
 *
 * By ICE both gather candidates before they speak, and both open the link:
 *
 *      start -> GATHERING --gathered--> REQUESTED --answer--> EXPECTING --link--> done
 *                   |                      |  '--In_Progress--> DEFERRED
 *                   | its Attach           | its Attach, own    | its Attach
 *                   |                      | Node-ID smaller    |
 *      its Attach --+----------------------+--------------------+
 *      (none of ours under way)            v
 *                                      ANSWERING --gathered--> DIALLING --link--> done
 *                                          ^------its Attach-------'
 *
 * Without ICE the answerer dials and the requester waits; one without an address to wait at dials
 * itself, as TLS client, to where the answer says:
 *
 *      start -> REQUESTED --answer--> EXPECTING --link--> done
 *                  |  \--answer, no own address--> DIALLING --link--> done
 *                  |--In_Progress--> DEFERRED --its Attach--^   ^
 *                  '--its Attach, own Node-ID smaller-----------|
 *      its Attach, none of ours under way ----------------------'
 *
 * A link that is bound to the far end, however it came about, ends the record with success. */

#define RELOAD_ATTACH_DIAL_MS     20000
#define RELOAD_ATTACH_ICE_MS      30000 /* checks and handshake */
#define RELOAD_ATTACH_AGAIN_MS    3000  /* who was answered is not gathered for again before */
#define RELOAD_ATTACH_WAITERS_MAX 8

enum reload_attach_state {
    RELOAD_ATTACH_GATHERING, /* ICE: candidates for the own request are being gathered */
    RELOAD_ATTACH_REQUESTED, /* own request is out, unanswered */
    RELOAD_ATTACH_DEFERRED,  /* the far end said In_Progress: its own Attach is on the way */
    RELOAD_ATTACH_ANSWERING, /* ICE: candidates for the answer are being gathered */
    RELOAD_ATTACH_EXPECTING, /* own request was answered: the far end comes to us. ICE: OPEN_LINK is
                                out */
    RELOAD_ATTACH_DIALLING,  /* OPEN_LINK is out, as TLS client */
};

struct reload_attach_record {
    struct reload_attach_record *next;
    enum reload_attach_state state;
    bool ice;
    uint32_t number;              /* what the host knows of it by; 0: nothing */
    struct reload_node_id remote; /* len 0: not known before the answer */
    uint8_t *destination_list;    /* GATHERING: where the request will go */
    size_t destination_len;
    struct reload_transaction *transaction; /* REQUESTED */
    struct reload_asked *asked;             /* ANSWERING */
    uint64_t answered;                      /* DIALLING by ICE: transaction_id of the answer */
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
/* How long the record has been in its state. */
uint64_t reload_attach_age_ms(const struct reload_node *node,
                              const struct reload_attach_record *record);
/* RELOAD_E_LIMIT. */
int reload_attach_add_waiter(struct reload_attach_record *record, struct reload_waiter waiter);
/* Drops the own request, sent or not yet, and what the host has gathered for it. */
void reload_attach_withdraw(struct reload_node *node, struct reload_attach_record *record);
/* Tells all who wait how it ended, and the far end with an Update when it wants one. */
void reload_attach_tell(struct reload_node *node, struct reload_attach_record *record, int error,
                        uint16_t error_code);
/* Takes it out and frees it: tells all who wait, or nobody. */
void reload_attach_end(struct reload_node *node, struct reload_attach_record *record, int error,
                       uint16_t error_code);
void reload_attach_discard(struct reload_node *node, struct reload_attach_record *record);

/* --- attach.c --- */
/* Sends the request. As reload_transaction_start(). */
int reload_attach_ask(struct reload_node *node, struct reload_attach_record *record,
                      struct reload_slice destination_list, const struct reload_offer *own);

/* --- attach_gather.c --- */
/* Asks for the candidates of the own request. RELOAD_E_NOMEM. */
int reload_attach_prepare(struct reload_node *node, struct reload_attach_record *record,
                          struct reload_slice destination_list);
/* Asks for the candidates of the answer, unless they are on their way. Without memory the request
 * is refused and the record ends. */
void reload_attach_prepare_answer(struct reload_node *node, struct reload_attach_record *record,
                                  const struct reload_reply *reply,
                                  const struct reload_offer *offer);

/* --- attach_link.c --- */
/* Ask the host for the link; without memory the record ends. Without ICE: */
void reload_attach_dial(struct reload_node *node, struct reload_attach_record *record,
                        const struct reload_dial_plan *plan);
/* By ICE, entering EXPECTING (own request) or DIALLING: */
void reload_attach_open(struct reload_node *node, struct reload_attach_record *record,
                        const struct reload_offer *offer, enum reload_attach_state state);

#endif
