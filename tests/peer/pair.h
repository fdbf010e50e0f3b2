#ifndef TESTS_PEER_PAIR_H
#define TESTS_PEER_PAIR_H

#include "peer/overlay.h"
#include "tests/bench/overlay_files.h"

/* Two real nodes of one overlay in one thread: `a` founds it, `b` joins it; and guests, if a test
 * wants any. Each has a GLib context of its own, so that a test can let one of them stand still. */

#define PAIR_TURN_PORT   3478 /* on 127.0.0.1 */
#define PAIR_TURN_SECRET "a secret of the pair"

struct pair_options {
    bool ice, dtls;
    bool turn;      /* a offers PAIR_TURN_PORT with PAIR_TURN_SECRET; nothing runs there */
    bool b_is_deaf; /* b is a client that listens nowhere */
    bool sip;       /* the overlay has the Kind of RFC 7904 */
};

struct pair_node {
    struct bench_identity_files files;
    GMainContext *context;
    struct reload_overlay *overlay;
    enum reload_topology_state state;
    bool asleep; /* pair_turn() leaves it alone */
};

#define PAIR_GUESTS_MAX 2

struct pair {
    struct bench_files files;
    struct pair_node a, b;
    struct pair_node *guests[PAIR_GUESTS_MAX];
    size_t guest_count;
};

void pair_open(struct pair *pair, const struct pair_options *options); /* both have joined */
/* One more node, which pair_close() frees: a client that listens nowhere and has joined at `a`,
 * which is responsible for its Node-ID and so is all that it is linked to; or, without `joins`,
 * an overlay object that does nothing. `options` are those of the pair. */
void pair_guest(struct pair *pair, const struct pair_options *options, bool joins,
                struct pair_node *node);
void pair_close(struct pair *pair);
void pair_node_free(struct pair_node *node); /* the node alone, as reload_overlay_free() */
void pair_turn(struct pair *pair);
/* Turns until *flag or `ms` have passed; the flag. */
bool pair_until(struct pair *pair, const bool *flag, unsigned ms);
void pair_for_ms(struct pair *pair, unsigned ms);

#endif
