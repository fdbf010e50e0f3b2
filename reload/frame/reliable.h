#ifndef RELOAD_FRAME_RELIABLE_H
#define RELOAD_FRAME_RELIABLE_H

#include "reload/frame/congestion.h"
#include "reload/frame/rtt.h"
#include "reload/frame/sender.h"

/* The sending side of Simple Reliability (RFC 6940 s6.6.3): keeps messages until they are
 * acknowledged, numbers each transmission anew, retransmits, and says when the link looks dead. A
 * pure state machine: messages, acks and time go in, data frames come out.
 *
 *             4 RTOs in a row pass        5 in a row (window: 7)
 *     ALIVE --------------------> SUSPECT ----------> FAILED
 *           <--------------------
 *             a frame is acknowledged
 *
 * Each RTO doubles the one before (R6940-6.6.3.1-9); with 500 ms a message that is never
 * acknowledged leaves at 0, 500, 1500, 3500 and 7500 ms, the link is SUSPECT at 7500 ms (one RTO
 * and three more retransmissions, s6.6.3.1) and FAILED at 15500 ms.
 *
 * A message that was sent as often while others were acknowledged is given up: the link works,
 * and the end-to-end retransmission (s6.2.1) repeats it. That cannot happen to a stop-and-wait
 * sender.
 *
 * Some paths drop long datagrams and say nothing (RFC 8899: a black hole). When a message longer
 * than narrow_len is lost RELOAD_RELIABLE_NARROW times before any such message was acknowledged,
 * the sender takes its path for one of them and is narrow from then on: the caller takes the long
 * messages out, to send them in pieces, and hands in none any more. A path that is only lossy is at
 * times mistaken for one, which costs some headers. */

#define RELOAD_RELIABLE_NARROW   3
#define RELOAD_RELIABLE_SPAN_MAX 1024 /* sequence numbers from the oldest awaited to the next */

struct reload_reliable_config {                 /* a zero takes the default in brackets */
    const struct reload_congestion *congestion; /* [window] */
    struct reload_rtt_limits rtt;               /* [500, 100 and 60000 ms] */
    uint32_t datagram_len;                      /* largest message in one datagram [1200] */
    uint32_t queue_bytes;                       /* waiting and unacknowledged [262144] */
    uint32_t queue_messages;                    /* [256] */
    uint32_t narrow_len; /* message that every path carries in one datagram; 0: never narrow */
};

struct reload_reliable;

struct reload_reliable_stats {
    uint64_t transmissions, retransmissions;
    uint64_t losses;         /* frames taken as lost, by later acks or a timeout */
    uint64_t false_losses;   /* of these: acknowledged after all */
    uint64_t timeouts;       /* RTOs */
    uint64_t given_up;       /* messages */
    uint32_t window, flight; /* bytes, now; window is 0 with stop and wait */
    uint32_t messages;       /* waiting or unacknowledged, now */
    uint32_t bytes;          /* the same */
    uint32_t unacked;        /* frames in flight, now */
};

/* config may be NULL. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_reliable_new(const struct reload_reliable_config *config,
                                        struct reload_reliable **out);
void reload_reliable_free(struct reload_reliable *reliable); /* NULL is fine */

/* A round trip measured elsewhere, before the first message: that of ICE's STUN check
 * (R6940-6.6.3.1-6). */
void reload_reliable_measured(struct reload_reliable *reliable, uint32_t rtt_ms);

/* Queues a copy of one message, gathered from parts. One message fits an empty queue whatever its
 * length. RELOAD_E_LIMIT (the queue is full), RELOAD_E_STATE (FAILED), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_reliable_send(struct reload_reliable *reliable,
                                         const struct reload_slice *parts, size_t count);
/* The next data frame to transmit now; false when there is none. Its message is good until the next
 * call of any function here, and the RELOAD_FRAME_DATA_HEADER_LEN bytes before it are the frame's
 * header, encoded. Without memory for its record the frame waits. */
bool reload_reliable_next(struct reload_reliable *reliable, uint64_t now_ms,
                          struct reload_frame *out);
/* An ack frame came: of its sequence number and, by its mask, of up to 31 before it. Acks for what
 * was never sent or is settled change nothing: returns false for them. */
bool reload_reliable_acked(struct reload_reliable *reliable, const struct reload_frame *ack,
                           uint64_t now_ms);
/* Lets time pass; the caller compares the state before and after, then calls next(). */
void reload_reliable_tick(struct reload_reliable *reliable, uint64_t now_ms);
/* When tick() or next() has something to do; RELOAD_NEVER when only an ack or a message counts. */
uint64_t reload_reliable_deadline(const struct reload_reliable *reliable);

/* A black hole was met. */
bool reload_reliable_is_narrow(const struct reload_reliable *reliable);
/* Takes out the next message longer than narrow_len that is not in flight; good until the next call
 * of this or of take(). False: there is none left. */
bool reload_reliable_take_long(struct reload_reliable *reliable, struct reload_slice *out);

/* For a sender whose link is over: takes out the next message that was not acknowledged, those that
 * were sent before those that waited; good until the next call. False: there is none left. */
bool reload_reliable_take(struct reload_reliable *reliable, struct reload_slice *out);

enum reload_frame_sender_state reload_reliable_state(const struct reload_reliable *reliable);
const struct reload_rtt *reload_reliable_rtt(const struct reload_reliable *reliable);
void reload_reliable_stats(const struct reload_reliable *reliable,
                           struct reload_reliable_stats *out);

#endif
