#ifndef RELOAD_FRAME_RECEIVER_H
#define RELOAD_FRAME_RECEIVER_H

#include "reload/frame/frame.h"

/* The receiving side of the framing header (RFC 6940 s6.6.2): remembers the 32 most recently
 * received sequence numbers and makes the ack for each data frame. The same on every link type. */

#define RELOAD_FRAME_REMEMBERED 32

struct reload_frame_receiver {                /* caller's memory; the fields are private */
    uint32_t recent[RELOAD_FRAME_REMEMBERED]; /* ring in order of arrival */
    uint32_t count;                           /* data frames received, as many as fit 32 bits */
    uint32_t remembered;                      /* 0..RELOAD_FRAME_REMEMBERED */
    struct reload_frame last;                 /* the last ack: the next frame's has one bit more */
};

void reload_frame_receiver_init(struct reload_frame_receiver *receiver);
/* A data frame with this sequence came: the ack that answers it. */
struct reload_frame reload_frame_receiver_ack(struct reload_frame_receiver *receiver,
                                              uint32_t sequence);

#endif
