#ifndef TESTS_USAGE_SIP_PAIR_H
#define TESTS_USAGE_SIP_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "usage-sip/agent.h"

/* User agents in memory, joined by a network of channels in virtual time. Datagram channels lose,
 * delay and reorder as told; streams deliver everything in order, cut anywhere. */

#define AGENTS_MAX 4
#define CHANNELS   16
#define FLYING_MAX 512
#define EVENTS_MAX 128

struct event { /* what an agent told its host, kept */
    enum reload_sip_action_type type;
    uint32_t id;
    enum reload_sip_call_state state;
    int status, cause;
    char user[256], text[9000], content_type[64];
    struct reload_sip_media media;
    bool has_media, dtls_client, controlling, send, receive, fresh;
    uint8_t event_payload;
};

struct agent {
    struct reload_sip_agent *sip;
    struct reload_node_id node;
    char user[64];
    struct event events[EVENTS_MAX];
    size_t event_count;
    uint64_t seed;
    bool registered; /* lookups of its address find it */
    bool deaf;       /* channels to it cannot be opened */
    bool slow;       /* or take until world_admit() */
    bool news;       /* only fresh lookups find it */
};

struct wire { /* a channel: its number at each end */
    size_t agent[2];
    uint32_t number[2];
    bool datagram, up;
    uint64_t last_ms[2]; /* streams keep order */
};

struct flying {
    uint64_t at_ms;
    size_t wire, to;
    uint8_t *bytes;
    size_t len;
};

struct world {
    struct agent agents[AGENTS_MAX];
    size_t count;
    struct wire wires[CHANNELS];
    size_t wire_count;
    struct flying flying[FLYING_MAX];
    size_t flying_count;
    struct reload_time now;
    bool datagram;
    unsigned loss_percent, delay_ms, jitter_ms;
    unsigned chunk;                /* streams: bytes of one delivery; 0: whole */
    struct reload_sip_action late; /* the OPEN_CHANNEL that waits for a slow one */
    size_t late_from;
    bool stale; /* cached targets lead nowhere; fresh ones do */
    uint64_t seed;
    uint64_t datagrams, lost;
};

void world_open(struct world *world, size_t count, bool datagram);
void world_close(struct world *world);
/* Whoever was slow is not any more. */
void world_admit(struct world *world);
/* Pulls actions and delivers until nothing is left to do for `ms` of virtual time. */
void world_run(struct world *world, uint64_t ms);

/* The last event of that type of an agent, or NULL; and how many there were. */
struct event *last(struct agent *agent, enum reload_sip_action_type type);
size_t count_of(const struct agent *agent, enum reload_sip_action_type type);
/* The state a call is in by its last CALL_STATE; the call is the agent's only one. */
enum reload_sip_call_state state_of(struct agent *agent);

struct reload_sip_media media_of(uint8_t last_octet);

/* A channel from outside to agent 0, whose far end is the test: its number there. */
uint32_t stranger(struct world *world, const char *user, bool datagram);
void say(struct world *world, uint32_t channel, const char *bytes, size_t len);
/* What agent 0 sent on a stranger's channel last; "" when nothing since the last call. */
const char *heard(struct world *world);

#endif
