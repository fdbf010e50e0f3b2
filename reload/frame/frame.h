#ifndef RELOAD_FRAME_FRAME_H
#define RELOAD_FRAME_FRAME_H

#include "reload/wire/cursor.h"

/* The framing header (RFC 6940 s6.6.2): every message on a link travels in a data frame, every data
 * frame is answered by an ack frame. */

enum reload_frame_type {
    RELOAD_FRAME_DATA = 128,
    RELOAD_FRAME_ACK = 129,
};

#define RELOAD_FRAME_DATA_HEADER_LEN 8 /* type, sequence, 24-bit length */
#define RELOAD_FRAME_ACK_LEN         9 /* type, ack_sequence, received */
#define RELOAD_FRAME_MESSAGE_MAX     0xffffff

struct reload_frame {
    uint8_t type;      /* enum reload_frame_type */
    uint32_t sequence; /* data: sequence; ack: ack_sequence */
    uint32_t received; /* ack only: bit i set = sequence - i was received too, i is 1..31 */
    struct reload_slice message; /* data only; borrowed from the input */
};

/* Reads one whole frame. RELOAD_E_DECODE when it is cut short or its type is neither data nor ack;
 * *out is then unspecified. */
RELOAD_MUST_USE int reload_frame_decode(struct reload_reader *r, struct reload_frame *out);
/* Writes one frame. RELOAD_E_NOSPACE when the buffer or the 24-bit length is too small,
 * RELOAD_E_INVALID for another type. */
RELOAD_MUST_USE int reload_frame_encode(struct reload_writer *w, const struct reload_frame *frame);
/* Writes only what stands before the message of a data frame, for a sender that gathers the message
 * from parts. message_len is at most RELOAD_FRAME_MESSAGE_MAX. */
void reload_frame_data_header(uint8_t out[RELOAD_FRAME_DATA_HEADER_LEN], uint32_t sequence,
                              size_t message_len);

/* Serial order of sequence numbers, which wrap at 2^32 (docs/protocol.md): is a later than b? */
static inline bool reload_sequence_after(uint32_t a, uint32_t b)
{
    uint32_t ahead = a - b;
    return ahead != 0 && ahead < 0x80000000u;
}

#endif
