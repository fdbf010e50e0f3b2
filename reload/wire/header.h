#ifndef RELOAD_WIRE_HEADER_H
#define RELOAD_WIRE_HEADER_H

#include "reload/wire/destination.h"
#include "reload/wire/option.h"

/* The forwarding header (RFC 6940 s6.3.2). */

#define RELOAD_TOKEN        0xd2454c4fu /* "RELO" with the high bit of the first byte set */
#define RELOAD_VERSION      0x0a        /* 1.0, times ten */
#define RELOAD_HEADER_FIXED 38          /* bytes before the three lists */
#define RELOAD_LIST_MAX     65535       /* bytes of each list */

/* Where the fields that change on the way lie, counted from the first byte of the message. */
#define RELOAD_HEADER_TTL_AT    11
#define RELOAD_HEADER_LENGTH_AT 16

/* The fragment word (s6.3.2, s6.7). */
#define RELOAD_FRAGMENT_ALWAYS   0x80000000u /* MUST be set */
#define RELOAD_FRAGMENT_LAST     0x40000000u
#define RELOAD_FRAGMENT_RESERVED 0x3f000000u /* sent as zero, ignored on receipt */
#define RELOAD_FRAGMENT_OFFSET   0x00ffffffu
#define RELOAD_FRAGMENT_WHOLE    (RELOAD_FRAGMENT_ALWAYS | RELOAD_FRAGMENT_LAST)

struct reload_forwarding_header {
    uint32_t overlay;
    uint16_t configuration_sequence;
    uint8_t version; /* the reader does not judge it: s6.3.2 lets the node reject */
    uint8_t ttl;
    uint32_t fragment; /* RELOAD_FRAGMENT_... */
    uint32_t length;   /* bytes of header and this fragment's payload */
    uint64_t transaction_id;
    uint32_t max_response_length;         /* bytes; 0 = no limit */
    struct reload_slice via_list;         /* for reload_destination_next() */
    struct reload_slice destination_list; /* for reload_destination_next() */
    struct reload_slice options;          /* for reload_forwarding_option_next() */
};

static inline bool reload_fragment_is_last(const struct reload_forwarding_header *h)
{
    return (h->fragment & RELOAD_FRAGMENT_LAST) != 0;
}
static inline uint32_t reload_fragment_offset(const struct reload_forwarding_header *h)
{
    return h->fragment & RELOAD_FRAGMENT_OFFSET; /* bytes of payload before this fragment's */
}
/* The message is not fragmented: offset 0, and the last. */
static inline bool reload_fragment_is_whole(const struct reload_forwarding_header *h)
{
    return reload_fragment_is_last(h) && reload_fragment_offset(h) == 0;
}

/* Bytes of the header when encoded. */
static inline size_t reload_forwarding_header_len(const struct reload_forwarding_header *h)
{
    return RELOAD_HEADER_FIXED + h->via_list.n + h->destination_list.n + h->options.n;
}

/* Reads the header of one message or fragment. `message` is all of it, as one link frame carried
 * it. The lists in *out are slices of it that have been walked to their exact end, so the walkers
 * cannot fail on them. What follows the header is message + reload_forwarding_header_len().
 * Returns 0, or RELOAD_E_DECODE with *out unspecified: cut short, a wrong token, `length` other
 * than message.n, the high bit of the fragment word clear, a malformed entry in a list. */
RELOAD_MUST_USE int reload_forwarding_header_decode(struct reload_slice message, size_t node_id_len,
                                                    struct reload_forwarding_header *out);

/* The bytes after the header of a message that reload_forwarding_header_decode() accepted. */
static inline struct reload_slice reload_payload(struct reload_slice message,
                                                 const struct reload_forwarding_header *h)
{
    size_t len = reload_forwarding_header_len(h);
    return (struct reload_slice){ message.p + len, message.n - len };
}

/* Writes the header with its fields as they are, `length` too, and the three lists as given.
 * Returns 0, or RELOAD_E_NOSPACE: buffer too small, or a list above RELOAD_LIST_MAX. */
RELOAD_MUST_USE int reload_forwarding_header_encode(struct reload_writer *w,
                                                    const struct reload_forwarding_header *h);
/* Sets `length` of the message whose header was written when w->len was `start`, to end where the
 * writer stands now. */
void reload_forwarding_header_close(struct reload_writer *w, size_t start);

#endif
