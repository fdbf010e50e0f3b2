#ifndef RELOAD_FRAME_SENDER_H
#define RELOAD_FRAME_SENDER_H

#include "reload/frame/frame.h"
#include "reload/frame/rtt.h"
#include "reload/time.h"

/* The sending side of the framing header on a reliable stream (RFC 6940 s6.6.2, s6.6.5): numbers
 * frames, measures the round trip from their acks and says when the link looks dead. Nothing is
 * retransmitted, TCP does that.
 *
 *             RTO passes without an ack            grace passes
 *     ALIVE ----------------------------> SUSPECT --------------> FAILED
 *           <----------------------------
 *             a frame is acknowledged
 *
 * SUSPECT: the link should leave the Routing Table. FAILED: it should be closed. */

enum reload_frame_sender_state {
    RELOAD_FRAME_ALIVE,
    RELOAD_FRAME_SUSPECT,
    RELOAD_FRAME_FAILED,
};

struct reload_frame_timing {
    struct reload_rtt_limits rtt;
    uint32_t grace_ms; /* how long a suspect link is kept, s6.6.5 */
};

/* s6.6.5: initial RTO 1 s and a floor of 1 s (RFC 6298 section 2 as it stands: s6.6.3.1's exception
 * is for Simple Reliability), 60 s ceiling, 30 s grace. Above the floor the RTO is exact to the
 * millisecond. */
extern const struct reload_frame_timing reload_frame_stream_timing;

#define RELOAD_FRAME_TIMED 32 /* frames in flight whose sending time is remembered */

struct reload_frame_sender { /* caller's memory; read the fields, change none */
    const struct reload_frame_timing *timing;
    enum reload_frame_sender_state state;
    struct reload_rtt rtt;
    uint32_t next_sequence; /* of the next data frame; the first is 0 */
    uint32_t unacked;       /* data frames sent and not acknowledged */
    uint64_t deadline_ms;   /* RELOAD_NEVER when nothing is awaited */
    struct {
        uint32_t sequence;
        bool waiting;
        uint64_t sent_ms;
    } timed[RELOAD_FRAME_TIMED];
};

/* timing is borrowed and outlives the sender. */
void reload_frame_sender_init(struct reload_frame_sender *sender,
                              const struct reload_frame_timing *timing);
/* A data frame goes out now: returns its sequence number. */
uint32_t reload_frame_sender_next(struct reload_frame_sender *sender, uint64_t now_ms);
/* An ack frame came. On a stream an ack for N also shows that all before N arrived. Acks for what
 * was never sent, or was acknowledged already, change nothing: returns false for them. */
bool reload_frame_sender_acked(struct reload_frame_sender *sender, const struct reload_frame *ack,
                               uint64_t now_ms);
/* Lets time pass; the caller compares `state` before and after. */
void reload_frame_sender_tick(struct reload_frame_sender *sender, uint64_t now_ms);
/* When tick() next has something to do; RELOAD_NEVER when it has not. */
uint64_t reload_frame_sender_deadline(const struct reload_frame_sender *sender);

#endif
