#ifndef RELOAD_NODE_ANSWERED_H
#define RELOAD_NODE_ANSWERED_H

#include "reload/node/request.h"

/* The duplicate cache: a request that comes again gets the answer it got (RFC 6940 s6.2.1). */

struct reload_answered;

struct reload_answers {
    struct reload_table by_id;
    struct reload_answered *oldest, *newest;
    size_t count, bytes;
};

enum reload_duplicate {
    RELOAD_DUPLICATE_NO,
    RELOAD_DUPLICATE_PENDING,  /* under way: say nothing */
    RELOAD_DUPLICATE_ANSWERED, /* *payload is the answer's MessageContents and SecurityBlock */
};

/* A request with exactly these bytes was verified before; needs no signature check. */
enum reload_duplicate reload_answered_same(struct reload_node *node, uint64_t transaction_id,
                                           struct reload_slice request,
                                           struct reload_slice *payload);
/* A verified request of that signer. */
enum reload_duplicate reload_answered_from(struct reload_node *node, uint64_t transaction_id,
                                           const struct reload_node_id *signer,
                                           struct reload_slice *payload);
/* Notes that a request is being handled. RELOAD_E_NOMEM. */
int reload_answered_begin(struct reload_node *node, uint64_t transaction_id,
                          const struct reload_node_id *signer, struct reload_slice request);
void reload_answered_end(struct reload_node *node, const struct reload_reply *reply,
                         struct reload_slice payload);
/* Forgets a request, so that a repetition is handled anew. */
void reload_answered_forget(struct reload_node *node, const struct reload_reply *reply);
uint64_t reload_answered_deadline(const struct reload_node *node);
void reload_answered_tick(struct reload_node *node);
void reload_answered_fini(struct reload_node *node);

#endif
