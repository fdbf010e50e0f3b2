#ifndef USAGE_SIP_COUNTERS_H
#define USAGE_SIP_COUNTERS_H

#include <stdint.h>

/* Why a SIP message, channel or call was refused or dropped; each has a counter. */
/* clang-format off */
#define RELOAD_SIP_REFUSALS(X)                                  \
    X(MALFORMED, "no SIP message")                              \
    X(FRAMING, "stream without a next message")                 \
    X(INVALID, "breaks the grammar")                            \
    X(VERSION, "other version of SIP")                          \
    X(SCHEME, "unknown URI scheme")                             \
    X(EXTENSION, "required extension unknown")                  \
    X(METHOD, "unknown method")                                 \
    X(CONTENT, "unknown content")                               \
    X(IDENTITY, "From is not the certificate's user")           \
    X(NODE, "channel to another node than asked for")           \
    X(NOT_HERE, "address of nobody here")                       \
    X(RESPONSE, "answer to nothing")                            \
    X(ACK, "ACK to nothing")                                    \
    X(REUSE, "transaction of another channel, or used again")   \
    X(SEQUENCE, "CSeq is out of order")                         \
    X(DIALOG, "no such dialog")                                 \
    X(LOOP, "came here on two ways")                            \
    X(REPEATED, "message delivered before")                     \
    X(MEDIA, "no media that we can speak")                      \
    X(GLARE, "two changes at once")                             \
    X(CALLS, "too many calls")                                  \
    X(CALLS_OF_USER, "too many calls of one user")              \
    X(TRANSACTIONS, "too many transactions")                    \
    X(TRANSACTIONS_OF_USER, "too many transactions of one user") \
    X(CHANNELS, "too many channels")                            \
    X(WAITING, "too many requests wait for a channel")          \
    X(TOO_LARGE, "message too large for its channel")           \
    X(MEMORY, "out of memory")
/* clang-format on */
enum reload_sip_refusal {
#define X(name, text) RELOAD_SIP_REFUSED_##name,
    RELOAD_SIP_REFUSALS(X)
#undef X
        RELOAD_SIP_REFUSAL_COUNT
};
const char *reload_sip_refusal_text(enum reload_sip_refusal refusal);

struct reload_sip_counters {
    uint64_t received, sent, retransmitted; /* messages */
    uint64_t calls_out, calls_in, calls_established;
    uint64_t messages_sent, messages_delivered; /* texts out, texts in */
    uint64_t refused[RELOAD_SIP_REFUSAL_COUNT];
};

#endif
