#ifndef RELOAD_NODE_APP_ATTACH_RECORD_H
#define RELOAD_NODE_APP_ATTACH_RECORD_H

#include "reload/node/offer.h"
#include "reload/wire/attach.h"

/* What the files app_attach*.c share: one record for each channel of an application that is being
 * agreed on (RFC 6940 s6.5.2). There is no tie-break: two nodes may have many channels.
 *
 *      own:       GATHERING --gathered--> REQUESTED --answer--> APP_CHANNEL
 *      incoming:  ANSWERING --gathered--> answer, APP_CHANNEL
 *
 * Without ICE (s6.5.1.11) what is gathered are the addresses of a listener for this one channel.
 * The requester waits there, as TLS server, for the answerer's dial, which then need not gather
 * anything. When the requester has no listener, it dials the answerer's, as TLS client. */

enum reload_app_attach_state {
    RELOAD_APP_ATTACH_GATHERING, /* candidates for the own request are being gathered */
    RELOAD_APP_ATTACH_REQUESTED, /* own request is out */
    RELOAD_APP_ATTACH_ANSWERING, /* candidates for the answer are being gathered */
};

struct reload_app_attach_record {
    struct reload_app_attach_record *next;
    enum reload_app_attach_state state;
    bool ice;
    uint32_t number; /* what the host knows of it by */
    uint16_t application;
    uint64_t request;          /* own: as the application knows it; 0: incoming */
    uint8_t *destination_list; /* GATHERING: where the request will go */
    size_t destination_len;
    struct reload_transaction *transaction; /* REQUESTED */
    bool listens;                           /* REQUESTED: candidates were offered */
    struct reload_asked *asked;             /* ANSWERING */
    struct reload_node_id remote;           /* ANSWERING */
    struct reload_timer timer;
};

static inline bool reload_app_attach_uses_ice(const struct reload_node *node, uint16_t application)
{
    bool direct = application != 0 && application == node->config.direct_application;
    return reload_uses_ice(node) && !direct;
}

/* --- app_attach_record.c --- */
/* NULL at the cap, which is counted, and without memory. */
struct reload_app_attach_record *reload_app_attach_add(struct reload_node *node,
                                                       uint16_t application);
void reload_app_attach_enter(struct reload_node *node, struct reload_app_attach_record *record,
                             enum reload_app_attach_state state);
/* Takes it out and frees it, with all that is under way for it. */
void reload_app_attach_end(struct reload_node *node, struct reload_app_attach_record *record);
/* Hands the channel over to the host: `offer` is the far end's, `waits` whether it comes to us. The
 * record stays. RELOAD_E_UNSUPPORTED (nothing to dial), RELOAD_E_NOMEM. */
int reload_app_attach_hand_over(struct reload_node *node, struct reload_app_attach_record *record,
                                const struct reload_node_id *remote,
                                const struct reload_offer *offer, bool waits);
int reload_app_attach_write(struct reload_node *node, const char *role, uint16_t application,
                            const struct reload_offer *own, struct reload_slice *body);

/* --- app_attach.c --- */
/* With the own candidates: sends the request. */
void reload_app_attach_ask(struct reload_node *node, struct reload_app_attach_record *record,
                           const struct reload_offer *own);
/* Ends it and tells the application. */
void reload_app_attach_fail(struct reload_node *node, struct reload_app_attach_record *record,
                            int error);

/* --- app_attach_receive.c --- */
/* Answers with an error, and ends it. */
void reload_app_attach_refuse(struct reload_node *node, struct reload_app_attach_record *record,
                              uint16_t error_code, const char *why);
/* Answers, hands the channel over, and ends it. */
void reload_app_attach_answer(struct reload_node *node, struct reload_app_attach_record *record,
                              const struct reload_offer *own);

#endif
