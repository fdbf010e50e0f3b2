#ifndef RELOAD_FRAME_CONGESTION_H
#define RELOAD_FRAME_CONGESTION_H

#include "reload/frame/frame.h"
#include "reload/time.h"

/* How fast a Simple Reliability sender may go (RFC 6940 s6.6.3: any algorithm that meets RFC 5405).
 * Two are here; both speak the same protocol, and a receiver cannot tell them apart:
 *
 *   stop and wait  s6.6.3.1 to the letter: one unacknowledged message, 10 ms after each ack.
 *   window         RFC 5405 s3.1.1's TCP-like control over bytes in flight: slow start, congestion
 *                  avoidance and multiplicative decrease (RFC 5681, RFC 3465), a small initial
 *                  window (RFC 3390), nothing gained while the window is not used (RFC 2861),
 *                  pacing, and a decrease that is taken back when the loss was none (RFC 4015). */

#define RELOAD_CONGESTION_GAP_MS            10 /* s6.6.3.1: from an ack to the next message */
#define RELOAD_CONGESTION_TRANSMISSIONS_MAX 8
#define RELOAD_CONGESTION_WINDOW_MAX                                                               \
    (128u * 1024) /* bytes in flight: no flow control beyond it                                    \
                   */

struct reload_congestion_state { /* the sender fills the first part before each call */
    uint32_t datagram_len;       /* bytes of a full datagram's message: SMSS of RFC 5681 */
    uint32_t flight;             /* bytes sent, not acknowledged and not taken as lost */
    uint32_t srtt_ms, rto_ms;    /* 0: not measured */

    uint64_t acked_ms; /* last ack; RELOAD_NEVER: none yet */

    uint32_t window, threshold; /* bytes: cwnd and ssthresh of RFC 5681 */
    bool recovering;
    uint32_t recovery_end; /* losses up to this sequence number belong to one congestion event */
    uint32_t event_losses; /* frames taken as lost in it, and not proved wrong */
    uint32_t window_before, threshold_before;
    uint64_t sent_ms;   /* last transmission */
    uint64_t credit_ms; /* pacing: when `credit` bytes could leave at once */
    uint32_t credit;
};

struct reload_congestion {
    const char *name;
    /* Frames count as lost when later ones were acknowledged for long enough; otherwise only when
     * the RTO passes. */
    bool selective;
    /* How often one message is sent, and how many RTOs in a row may pass before the link is given
     * up: at most RELOAD_CONGESTION_TRANSMISSIONS_MAX. */
    uint32_t transmissions;
    void (*init)(struct reload_congestion_state *s);
    /* When a message of len bytes may leave, as far as is known now: any time up to the present
     * means at once, RELOAD_NEVER not before an ack or a timeout. */
    uint64_t (*when)(const struct reload_congestion_state *s, size_t len);
    void (*sent)(struct reload_congestion_state *s, size_t len, uint64_t now_ms);
    /* A message was acknowledged; `flight` still holds it. */
    void (*acked)(struct reload_congestion_state *s, size_t len, uint64_t now_ms);
    /* A frame was taken as lost; `flight` still holds it. next is the next sequence number. */
    void (*lost)(struct reload_congestion_state *s, uint32_t sequence, uint32_t next);
    /* The RTO passed without any ack, for the count-th time in a row. */
    void (*timed_out)(struct reload_congestion_state *s, uint32_t count, uint32_t next);
    /* A frame taken as lost was acknowledged after all. */
    void (*was_not_lost)(struct reload_congestion_state *s);
};

extern const struct reload_congestion reload_congestion_stop_and_wait;
extern const struct reload_congestion reload_congestion_window;

#endif
