#ifndef RELOAD_TESTS_SIM_CHANNELS_H
#define RELOAD_TESTS_SIM_CHANNELS_H

#include "reload/node/action.h"

/* What the hosts of a test world hold for their nodes between GATHER and the end of its number
 * (reload/node/action.h), with made-up candidates. Two channels that were opened towards each other
 * are connected. A number that is used against the rules aborts the test. */

struct channel {
    struct channel *next;
    size_t node; /* whose it is */
    uint32_t number;
    bool requester, application, opened;
    uint64_t since_ms;    /* for the world's use */
    uint64_t serial, far; /* own; of the far end, once it was opened */
    char ufrag[17];
    uint8_t candidates[64];
    size_t candidates_len;
};

struct channels { /* zero-initialise to start */
    struct channel *first;
    size_t count;
    uint64_t serial;
};

struct channel *channels_gather(struct channels *all, size_t node,
                                const struct reload_action_gather *gather);
/* NULL: not, or not any more. */
struct channel *channels_find(const struct channels *all, size_t node, uint32_t number);
struct channel *channels_serial(const struct channels *all, uint64_t serial);
/* The channel that this one and the far end can meet on now; NULL: the far end is not there yet. */
struct channel *channels_open(struct channels *all, size_t node,
                              const struct reload_action_open_link *open);
/* The number has come to its end. */
void channels_end(struct channels *all, size_t node, uint32_t number);
/* All of a node that is no more. */
void channels_kill(struct channels *all, size_t node);
void channels_fini(struct channels *all);

/* ICE parameters of a channel. */
extern const struct reload_slice channel_password;
struct reload_slice channel_ufrag(const struct channel *channel);
struct reload_slice channel_candidates(const struct channel *channel);
/* Makes the channel's only candidate. */
void channel_offer(struct channel *channel, uint8_t link_type,
                   const struct reload_ip_address_port *address);

#endif
