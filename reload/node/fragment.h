#ifndef RELOAD_NODE_FRAGMENT_H
#define RELOAD_NODE_FRAGMENT_H

#include "reload/node/connection.h"
#include "reload/wire/header.h"

/* Messages and the pieces in which links carry them (RFC 6940 s6.7): fragment.c cuts, reassembly.c
 * joins. */

/* Sends header and payload over a link, in fragments when its MTU asks for that (s6.7). The
 * header's length is filled in here; the payload is borrowed until the actions are pulled. */
int reload_send(struct reload_node *node, struct reload_slot *slot,
                struct reload_forwarding_header *header, struct reload_slice payload);
/* The same of a message that was sent over it before, whole. */
void reload_send_again(struct reload_node *node, struct reload_slot *slot,
                       struct reload_slice message);

#define RELOAD_REASSEMBLY_RANGES         64 /* gaps a message under way may have */
#define RELOAD_REASSEMBLY_PER_LINK       64
#define RELOAD_REASSEMBLY_BYTES_PER_LINK (1024 * 1024)

struct reload_reassembly;

struct reload_reassemblies {
    struct reload_table by_id;
    struct reload_reassembly *oldest, *newest;
    size_t count, bytes;
};

/* Takes a fragment. True when it completed its message: then *header is the offset-0 fragment's and
 * *payload the whole, both in the arena. */
bool reload_reassembly_add(struct reload_node *node, const struct reload_slot *slot,
                           struct reload_slice fragment,
                           const struct reload_forwarding_header *fragment_header,
                           struct reload_forwarding_header *header, struct reload_slice *payload);
/* The request goes out once more: what came of an answer to it is of no use, as the next answer is
 * signed anew and has other bytes. */
void reload_reassembly_forget_answer(struct reload_node *node, uint64_t transaction_id);
uint64_t reload_reassembly_deadline(const struct reload_node *node);
void reload_reassembly_tick(struct reload_node *node);
void reload_reassembly_fini(struct reload_node *node);

#endif
