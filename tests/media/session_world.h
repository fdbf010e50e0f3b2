#ifndef RELOAD_TESTS_MEDIA_SESSION_WORLD_H
#define RELOAD_TESTS_MEDIA_SESSION_WORLD_H

#include "media/session.h"
#include "tests/media/signals.h"
#include <pthread.h>

/* Two sessions in real time over a wire inside the process. Alice is 0 and makes the offer, Bob is
 * 1 and answers. Datagrams of end i carry the source token 100 + i. */

#define WORLD_WIRE 256

struct world_datagram {
    size_t from, len;
    uint8_t bytes[2048];
};

struct world_end {
    struct world *world;
    size_t index;
    struct reload_engine_srtp *certificate;
    struct reload_media_session *session; /* NULL: nobody is there */
    struct noise noise;
    struct world_datagram last_rtp;
    unsigned datagrams_sent;
    /* What its events told. */
    enum reload_media_session_state state;
    int error;
    char reason[160];
    char keys[16];
    bool audio, bye;
    uint64_t secure_ms, audio_ms; /* monotonic */
};

struct world {
    struct world_end end[2];
    pthread_mutex_t lock; /* of the wire */
    struct world_datagram wire[WORLD_WIRE];
    size_t first, count;
    unsigned loss_percent; /* of DTLS */
    /* May change a datagram or forbid it; on the host's thread. NULL: all pass. */
    bool (*tamper)(struct world *world, struct world_datagram *datagram);
    const struct reload_media_transport_ops *ops; /* as the sessions see the wire */
};

struct reload_time world_now(void);
void world_make(struct world *world);
/* Ends and frees what is left. */
void world_free(struct world *world);
/* Opens an end's session on a device; echo is not cancelled. */
void world_open(struct world *world, size_t index, const char *device, const char *recording);
struct reload_media_parameters world_local(struct world *world, size_t index, bool offer);
/* Offer, answer and path, both ways; setup of the answer as Bob's session wants it. */
void world_negotiate(struct world *world);
void world_start(struct world *world);
void world_run(struct world *world, unsigned ms);
/* Until both are in this state, or 3 s passed; false: they are not. */
bool world_reach(struct world *world, enum reload_media_session_state state);
struct reload_media_session_status world_status(struct world *world, size_t index);

#endif
