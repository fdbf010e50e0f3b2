#ifndef TESTS_RELOAD_LINK_ENGINE_ENDS_H
#define TESTS_RELOAD_LINK_ENGINE_ENDS_H

#include "people.h"
#include "reload/link/engine.h"

/* Two TLS engines, one at each end of an association in memory. */

struct end { /* one side of an association in memory */
    struct reload_engine_context *context;
    struct reload_engine *engine;
    struct reload_buffer taken; /* bytes lent to the engine */
    int status;
};

extern struct identity rsa_node; /* by ca, Node-ID 0xee.. */
extern struct end client, server;

/* A group's set-up and tear-down: the people, and rsa_node. */
int ends_set_up(void **state);
int ends_tear_down(void **state);

struct reload_time ends_now(void);
/* One end, or client and server, before their first byte; expected may be NULL. */
void ends_open_one(struct end *end, struct identity *identity, enum reload_link_role role,
                   const struct reload_node_id *expected);
void ends_open(struct identity *c, struct identity *s);
void ends_close_one(struct end *end);
void ends_close(void);

/* Carries at most `step` bytes from one end to the other; true when something moved. */
bool ends_carry(struct end *from, struct end *to, size_t step);
/* Lets an end go on with its handshake. */
void ends_shake(struct end *end);
/* Both, until nothing moves. Bytes beyond the handshake stay with the receiver's engine until it
 * reads. */
void ends_handshake(size_t step);
/* All there is to decrypt: the status that ended it. */
int ends_read(struct end *end, uint8_t *out, size_t cap, size_t *len);

/* 40000 bytes go from one end to the other. */
void assert_talks(struct end *from, struct end *to, size_t step);
/* The far end of this one is the node of that Node-ID, filled with the byte. */
void assert_is(const struct end *end, uint8_t node);

#endif
