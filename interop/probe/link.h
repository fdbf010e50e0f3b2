#ifndef INTEROP_PROBE_LINK_H
#define INTEROP_PROBE_LINK_H

#include "interop/probe/template.h"
#include "reload/link/address.h"
#include "reload/link/engine_datagram.h"

/* One TLS or DTLS association with its frames (RFC 6940 s6.6.2), written here once more so that the
 * frames of the library under test are not checked against themselves. Every data frame is
 * acknowledged at once; nothing is ever sent again. */

#define PROBE_ACKS_MAX     256 /* acks kept for a case to look at */
#define PROBE_RECEIVED_MAX 32  /* what the mask of an ack can hold */

struct probe_link {
    int fd;
    bool datagrams; /* DTLS */
    bool shared;    /* the descriptor is the listener's: inbound DTLS */
    bool inbound, up, closed;
    struct reload_link_address far;
    struct reload_engine *engine;
    struct reload_buffer plain;            /* TLS: the beginning of a frame */
    uint32_t next;                         /* sequence of the next data frame */
    uint32_t received[PROBE_RECEIVED_MAX]; /* latest data frames, a ring */
    size_t received_count;
    struct probe_ack {
        uint8_t bytes[8]; /* ack_sequence, received */
    } acks[PROBE_ACKS_MAX];
    size_t ack_count, acks_taken;
    void (*message)(void *context, struct probe_link *link, struct reload_slice bytes);
    void *context;
};

struct reload_time probe_now(void);

/* Takes bytes from the network: one datagram, or a piece of the stream. */
void probe_link_input(struct probe_link *link, struct reload_slice bytes);
/* The handshake, if it is not over, and then what waits in the engine for the network. */
void probe_link_go_on(struct probe_link *link);
/* Plaintext as it is: for DTLS one record. A closed link takes it and loses it. */
void probe_link_write(struct probe_link *link, struct reload_slice plain);
/* A message in the next data frame. */
void probe_link_send(struct probe_link *link, struct reload_slice message);
void probe_link_close(struct probe_link *link); /* in order; frees what it holds */
/* The far end's Node-ID, the first one; empty before it is up. */
struct reload_slice probe_link_far_id(const struct probe_link *link);

#endif
