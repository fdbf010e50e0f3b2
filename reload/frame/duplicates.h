#ifndef RELOAD_FRAME_DUPLICATES_H
#define RELOAD_FRAME_DUPLICATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Recognises messages that Simple Reliability brings twice (RFC 6940 s6.6.3): the ack was lost or
 * late, the far end sent the message again, and its new frame has a new sequence number. Nothing in
 * the framing header tells, so the bytes do: RELOAD messages carry a transaction id and a fragment
 * offset, and two equal ones are one.
 *
 * An end-to-end retransmission (s6.2.1) has equal bytes too and must get through. It comes a
 * reliability timer later (3 s by default), the repetition an RTO or a few later: so a message is
 * remembered for RELOAD_DUPLICATES_MS only. What slips through later meets the duplicate caches of
 * the node: this here spares the overlay the double work, the node makes sure that nothing is
 * applied twice. */

#define RELOAD_DUPLICATES_REMEMBERED 64   /* messages of one link */
#define RELOAD_DUPLICATES_MS         1500 /* half of the default reliability timer */

struct reload_duplicates { /* caller's memory, zero at first; the fields are private */
    struct {
        uint64_t hash;
        uint64_t until_ms;
        size_t len;
    } recent[RELOAD_DUPLICATES_REMEMBERED];
    uint32_t next;
};

/* A message came: was it here a moment ago? If not, it is remembered. */
bool reload_duplicates_met(struct reload_duplicates *duplicates, const uint8_t *p, size_t len,
                           uint64_t now_ms);

#endif
