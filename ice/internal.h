#ifndef RELOAD_ICE_INTERNAL_H
#define RELOAD_ICE_INTERNAL_H

#include <nice/agent.h>

#include "ice/address.h"
#include "ice/ice.h"

/* Shared by the files of a channel; not for others. */

#define COMPONENT      1   /* the only one (RFC 6940 s6.5.1.5) */
#define CREDENTIAL_MAX 255 /* opaque<0..2^8-1> on the wire */

struct local_candidate { /* what a struct reload_ice_candidate borrows */
    struct reload_link_address address, related;
    char foundation[NICE_CANDIDATE_MAX_FOUNDATION];
    uint32_t priority;
    uint8_t type; /* enum reload_candidate_type */
};

struct reload_ice_channel {
    struct reload_ice *ice;
    struct reload_ice_channel *next, **link; /* in ice->channels */
    NiceAgent *agent;
    guint stream;
    enum reload_ice_state state;
    bool relays, loopback;
    unsigned int pacing_ms;
    bool remote_known; /* set_remote() was obeyed */
    void *user;
    char *ufrag, *password; /* own; from the library */
    struct local_candidate candidates[RELOAD_ICE_LOCAL_CANDIDATES_MAX];
    size_t candidate_count;
    GSList *remote;   /* NiceCandidate, waiting for GATHERED */
    size_t datagrams; /* in the queue */
};

struct queued_event {
    struct queued_event *next;
    enum reload_ice_event_type type;
    struct reload_ice_channel *channel;
    int error;
    const char *reason;
    size_t len;
    uint8_t datagram[];
};

struct reload_ice {
    GMainContext *context;
    struct reload_ice_channel *channels;
    size_t channel_count;
    struct queued_event *first, **last;
    struct queued_event *pulled; /* the caller may still read its datagram */
    struct reload_ice_stats stats;
};

/* Puts an event at the end of the queue. Returns 0 or RELOAD_E_NOMEM. */
int reload_ice_queue(struct reload_ice_channel *channel, enum reload_ice_event_type type, int error,
                     const char *reason, struct reload_slice datagram);
/* Takes the channel's events out of the queue. */
void reload_ice_unqueue(struct reload_ice_channel *channel);

/* Has the library tell the channel what happens. */
void reload_ice_listen(struct reload_ice_channel *channel);

/* Reads the library's local candidates into the channel. */
void reload_ice_local_collect(struct reload_ice_channel *channel);
/* Reads a candidate list into channel->remote. As reload_ice_channel_set_remote(). */
int reload_ice_remote_read(struct reload_ice_channel *channel, struct reload_slice candidates);
/* Hands channel->remote to the library, which begins its checks. */
int reload_ice_remote_apply(struct reload_ice_channel *channel);

/* Of at least `least` characters, all of ALPHA / DIGIT / "+" / "/" (RFC 5245 s15.1). */
bool reload_ice_is_ice_chars(struct reload_slice s, size_t least, size_t most);
void reload_ice_to_nice(const struct reload_link_address *address, NiceAddress *out);
struct reload_link_address reload_ice_from_nice(const NiceAddress *address);

#endif
