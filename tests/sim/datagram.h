#ifndef RELOAD_TESTS_SIM_DATAGRAM_H
#define RELOAD_TESTS_SIM_DATAGRAM_H

#include <stdbool.h>

#include "reload/random.h"
#include "reload/time.h"

/* What Simple Reliability (RFC 6940 s6.6.3) makes of a path that loses datagrams: when a message
 * gets through, when its sender knows, and what the sender thinks of the link meanwhile. No frames:
 * each message is drawn alone, and one that was acknowledged shows that the link works. */

#define DATAGRAM_TRANSMISSIONS 7 /* as reload/frame/window.c */

struct datagram_trip {
    uint64_t arrives_ms; /* after the sending, less the path's delay; RELOAD_NEVER: not at all */
    uint64_t ack_ms;     /* after the arrival, less the path's delay; RELOAD_NEVER: none */
};
/* Draws one message's fate. loss_per_million is each datagram's, and each ack's. */
struct datagram_trip datagram_trip(const struct reload_random *random, uint32_t loss_per_million,
                                   uint32_t rto_ms);
/* The retransmission timeout of a path whose delay does not vary. */
uint32_t datagram_rto_ms(uint32_t delay_ms);

struct datagram_sender { /* at one end of a link */
    uint32_t unacked;    /* messages */
    uint32_t timeouts;   /* in a row */
    bool suspect;        /* until something is acknowledged */
    uint64_t rto_at_ms;  /* RELOAD_NEVER: nothing is waited for */
};

void datagram_sent(struct datagram_sender *sender, uint64_t now_ms, uint32_t rto_ms);
/* An ack came. True: the link was suspect. */
bool datagram_acked(struct datagram_sender *sender, uint64_t now_ms, uint32_t rto_ms);
/* A message was sent DATAGRAM_TRANSMISSIONS times: after datagram_span_ms(). */
void datagram_given_up(struct datagram_sender *sender);
uint64_t datagram_span_ms(uint32_t rto_ms);
/* The timer rang. True: the link has become suspect. Over when `timeouts` is
 * DATAGRAM_TRANSMISSIONS. */
bool datagram_timed_out(struct datagram_sender *sender, uint64_t now_ms, uint32_t rto_ms);

#endif
