#ifndef TESTS_PEER_ENDS_H
#define TESTS_PEER_ENDS_H

#include "pair.h"
#include "peer/channel.h"

/* The two ends of a channel between two real nodes. */

#define APPLICATION 40000
#define PATIENCE_MS 20000

struct end { /* one end of a channel, and what it was told */
    struct reload_channel *channel;
    bool is_open, has_received, is_writable, has_ended, is_closed;
    size_t received;
    uint8_t last[RELOAD_CHANNEL_DATAGRAM_MAX];
    size_t last_len;
    int error;
    uint16_t error_code;
    char reason[200];
    bool in_callback, close_in_opened, close_in_received;
    bool is_over; /* the far end sends no more, or the channel is closed */
};

extern struct pair pair;
extern struct end far, near; /* of the node that serves, and of the one that asks */
extern const struct reload_channel_events ends_events; /* their context is an end */

/* A test that ends the pair it opens. */
#define LIVE(test) cmocka_unit_test_teardown(test, ends_close)
int ends_open(struct pair_options options);
int ends_close(void **state);

/* The node accepts channels of the application, for `far`. */
void ends_serve(struct pair_node *node);
/* One node asks the other for a channel: as reload_overlay_open_channel() answers. */
int ends_ask(struct pair_node *from, const struct pair_node *to, struct end *end);
/* Both, until the channel is open at both ends. */
void ends_connect(struct pair_node *from, struct pair_node *to);
int ends_send_text(struct end *end, const char *text);
struct reload_channel_stats ends_stats(const struct pair_node *node);

#endif
