#ifndef TESTS_ICE_PAIR_H
#define TESTS_ICE_PAIR_H

#include "ice/ice.h"

/* Two channels in one process, which exchange what an Attach and its answer would carry. */

struct end {
    struct reload_ice_channel *channel;
    bool gathered, connected, failed;
    int error;
    const char *reason;
    unsigned int datagrams;
    uint8_t last[2048];
    size_t last_len;
};

/* An address on loopback; port 0 for local addresses. */
struct reload_link_address loopback(uint16_t port);

/* A channel on 127.0.0.1 whose events go to `end`. */
void end_open(struct reload_ice *ice, struct end *end, enum reload_ice_role role);
void end_open_with(struct reload_ice *ice, struct end *end,
                   const struct reload_ice_channel_config *config);

/* The candidate list of an end as bytes. */
struct reload_slice end_candidates(const struct end *end, uint8_t *out, size_t cap);
/* Gives `to` what `from` would send. Returns what set_remote() says. */
int end_introduce(struct end *from, struct end *to);

/* Takes events until there are none. */
void drain(struct reload_ice *ice);
/* Runs the default main context until *flag, or until the time is over: false. */
bool run_until(struct reload_ice *ice, const bool *flag, unsigned int timeout_ms);
void run_for(struct reload_ice *ice, unsigned int ms);

#endif
