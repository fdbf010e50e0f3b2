#include "peer/phone_outcome.h"

#include <stddef.h>

struct row {
    int status;
    struct reload_phone_outcome outcome;
};

#define UNREACHABLE                                                                                \
    {                                                                                              \
        "unreachable", "none of their devices could be reached, though one is registered: it may " \
                       "have just gone. Try again in a minute"                                     \
    }
#define BUSY                                                                                       \
    {                                                                                              \
        "busy", "they are busy. Try again later, or leave word with reload sip message"            \
    }
#define DECLINED                                                                                   \
    {                                                                                              \
        "declined", "they declined"                                                                \
    }
#define UNACCEPTABLE                                                                               \
    {                                                                                              \
        "not_acceptable", "the two devices have no way of talking in common: Opus, with keys by "  \
                          "DTLS-SRTP, by ICE where the overlay uses that"                          \
    }
#define UNREGISTERED                                                                               \
    {                                                                                              \
        "not_registered", "no other device is registered at this address in this overlay. Check "  \
                          "how it is written, or have its user run reload sip register"            \
    }

static const struct row to_them[] = {
    { 403,
      { "refused", "their device does not take this call from here: the user that it names must be "
                   "the one of this node's certificate. reload status shows that, reload enroll "
                   "renews it" } },
    { 404, UNREGISTERED },
    { 408, UNREACHABLE },
    { 415, { "not_understood", "their device does not understand what it was sent" } },
    { 480, { "unavailable", "they are not available now. Try again later" } },
    { 482,
      { "loop", "this address is forwarded in a circle, or too often in a row. They have to change "
                "that, with reload sip forward" } },
    { 486, BUSY },
    { 487, { "given_up", "given up before it was answered" } },
    { 488, UNACCEPTABLE },
    { 503, UNREACHABLE },
    { 513, { "too_large", "it is too long for their device" } },
    { 600, BUSY },
    { 603, DECLINED },
    { 604, UNREGISTERED },
    { 606, UNACCEPTABLE },
};

static const struct row from_them[] = {
    { 480, { "missed", "nobody answered here in time" } },
    { 487, { "caller_gave_up", "the caller gave up before it was answered" } },
    { 488, UNACCEPTABLE },
    { 503, { "caller_gone", "the caller's device is gone" } },
};

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static struct reload_phone_outcome look_up(const struct row *rows, size_t count, int status,
                                           struct reload_phone_outcome otherwise)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].status == status)
            return rows[i].outcome;
    return otherwise;
}

static struct reload_phone_outcome of_talk(const struct reload_phone_end *end)
{
    if (end->cause == 200)
        return (struct reload_phone_outcome){ "answered_elsewhere", "answered at another device" };
    if (end->status == 408)
        return (struct reload_phone_outcome){
            "far_end_gone", "their device does not answer any more: it, or its network, is gone"
        };
    if (end->status >= 300)
        return (struct reload_phone_outcome){ "failed", "the call was ended since something failed "
                                                        "at one of the two devices" };
    if (end->ours)
        return (struct reload_phone_outcome){ "hung_up", "hung up" };
    return (struct reload_phone_outcome){ "they_hung_up", "they hung up" };
}

static struct reload_phone_outcome of_outgoing(const struct reload_phone_end *end)
{
    const struct reload_phone_outcome refused = { "refused", "their device refused" },
                                      failed = { "failed", "their device failed" };
    if (end->status == 480 && !end->found)
        return (struct reload_phone_outcome){
            "lookup_failed", "the overlay did not answer where they are. Try again in a few "
                             "seconds; reload doctor tells whether it is this node"
        };
    if (end->rang && (end->status == 408 || end->status == 480))
        return (struct reload_phone_outcome){
            "no_answer", "nobody answered. Try again later, or leave word with reload sip message"
        };
    return look_up(to_them, COUNT(to_them), end->status,
                   end->status >= 500 && end->status < 600 ? failed : refused);
}

static struct reload_phone_outcome of_incoming(const struct reload_phone_end *end)
{
    const struct reload_phone_outcome declined = { "declined", "declined" },
                                      failed = { "failed", "the call failed" };
    if (end->ours)
        return declined;
    if (end->cause == 200)
        return of_talk(end);
    if (end->cause >= 600)
        return (struct reload_phone_outcome){ "declined_elsewhere", "declined at another device" };
    return look_up(from_them, COUNT(from_them), end->status, failed);
}

struct reload_phone_outcome reload_phone_outcome(const struct reload_phone_end *end)
{
    if (end->talked)
        return of_talk(end);
    return end->incoming ? of_incoming(end) : of_outgoing(end);
}
