#ifndef USAGE_SIP_AGENT_H
#define USAGE_SIP_AGENT_H

#include "reload/log.h"
#include "reload/random.h"
#include "reload/time.h"
#include "reload/wire/id.h"
#include "usage-sip/counters.h"
#include "usage-sip/route.h"
#include "usage-sip/sdp.h"

/* A SIP user agent (RFC 3261) for one address of record, on channels that AppAttach made (RFC 7904
 * s5): calls, messages (RFC 3428) and OPTIONS, in both directions. Bytes and time in, actions out:
 * no socket, no clock, no thread, no callback. libosip2 keeps the transactions and reads the time
 * that was given last (usage-sip/clock.h). An agent is used from one thread at a time.
 *
 * After every call that takes a `now`, pull actions with reload_sip_agent_next() until it answers
 * false, and call reload_sip_agent_tick() when reload_sip_agent_deadline() is reached.
 *
 * How the host joins it to the rest:
 *
 *   OPEN_CHANNEL -> an AppAttach to the destinations (RFC 6940 s6.5.2), then TLS or DTLS with
 *                   certificates on both sides; then reload_sip_agent_opened() or _failed()
 *   a channel that another node opened to application 5060 or 5061 -> reload_sip_agent_accept()
 *   bytes that arrive -> reload_sip_agent_received(), the end -> reload_sip_agent_closed()
 *   SEND, CLOSE  -> the channel
 *   LOOKUP       -> RFC 7904 s4.1, then reload_sip_agent_targets()
 *   CALL_MEDIA   -> ICE, DTLS-SRTP and audio to the far end's description
 *
 * A caller is who its certificate says: a request outside of a dialog whose From is not the user
 * name of the channel's certificate is answered 403 and counted; inside of a dialog, the channel's
 * user name must be the one with whom the dialog was made. */

struct reload_sip_agent;

#define RELOAD_SIP_TARGETS_MAX  10    /* devices that one call or message goes to */
#define RELOAD_SIP_TEXT_MAX     8192  /* bytes of a message's text, and of its type */
#define RELOAD_SIP_DATAGRAM_MAX 16384 /* bytes of a message in one DTLS record, RFC 6347 s4.1 */

/* A stream that has said nothing for so long says CRLF CRLF (RFC 7904 s5.2, RFC 5626 s3.5.1). */
#define RELOAD_SIP_KEEP_ALIVE_MS 25000

#define RELOAD_SIP_RING_MAX_S 3600

struct reload_sip_limits {             /* 0 takes the default */
    size_t max_channels;               /* 256 */
    size_t max_transactions;           /* 512: client and server, also those that only absorb */
    size_t max_transactions_from_user; /* server ones of one user name: 128 */
    size_t max_calls;                  /* 32 */
    size_t max_calls_from_user;        /* incoming ones of one user name: 4 */
    size_t max_errands;                /* own MESSAGE and OPTIONS under way: 64 */
    size_t max_waiting;                /* requests that wait for a channel: 16 each */
    unsigned ring_s;                   /* until nobody answered: 60 */
    unsigned idle_s;                   /* a channel without a dialog is closed after: 300 */
};

struct reload_sip_agent_config {
    const char *overlay; /* its name: the domain of Via; all texts are copied */
    struct reload_node_id self;
    const char *user;             /* own address of record without scheme, "alice@example.org" */
    const char *display;          /* for people, or NULL */
    struct reload_random random;  /* its context lives as long as the agent */
    const struct reload_log *log; /* borrowed; NULL: none */
    struct reload_sip_limits limits;
};

/* RELOAD_E_INVALID: `user` is no address of record; RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_sip_agent_new(const struct reload_sip_agent_config *config,
                                         struct reload_time now, struct reload_sip_agent **out);
/* Sends nothing: end calls first when the far ends shall know. NULL is fine. */
void reload_sip_agent_free(struct reload_sip_agent *agent);

/* How long calls from now on ring, in either direction, until nobody answered; 1 to
 * RELOAD_SIP_RING_MAX_S. */
void reload_sip_agent_set_ring(struct reload_sip_agent *agent, unsigned seconds);

/* --- channels --- */
struct reload_sip_channel_info {   /* what the handshake proved */
    struct reload_node_id node_id; /* the far end's */
    const char *user;              /* its certificate's user name, or NULL when it has none */
    uint16_t application;          /* 5060 or 5061 */
    bool datagram;                 /* DTLS: one message each record; else a byte stream */
};

/* An inbound channel. *channel is its number from now on. RELOAD_E_LIMIT, RELOAD_E_INVALID (no
 * Node-ID, unknown application), RELOAD_E_NOMEM: the host closes it. */
RELOAD_MUST_USE int reload_sip_agent_accept(struct reload_sip_agent *agent,
                                            const struct reload_sip_channel_info *info,
                                            struct reload_time now, uint32_t *channel);
/* The channel of an OPEN_CHANNEL is up. Another Node-ID than the one asked for is counted and
 * closes it. Numbers that are not known any more are ignored, here and below. */
void reload_sip_agent_opened(struct reload_sip_agent *agent, uint32_t channel,
                             const struct reload_sip_channel_info *info, struct reload_time now);
/* It could not be opened. */
void reload_sip_agent_failed(struct reload_sip_agent *agent, uint32_t channel,
                             struct reload_time now);
/* Bytes of a stream, or one datagram. What is wrong with them is counted and logged; a stream whose
 * next message cannot be found any more is closed. */
void reload_sip_agent_received(struct reload_sip_agent *agent, uint32_t channel,
                               const uint8_t *bytes, size_t len, struct reload_time now);
/* The far end, or the network, closed it. */
void reload_sip_agent_closed(struct reload_sip_agent *agent, uint32_t channel,
                             struct reload_time now);

/* --- lookup --- */
/* The answer to LOOKUP `id`; none means that there is no registration (404). Targets beyond
 * RELOAD_SIP_TARGETS_MAX, this very node, and those that name no node (see
 * reload_sip_connect_plan()) are left out. `cached`: not fetched just now: they are asked at
 * once, and another LOOKUP asks for fresh ones meanwhile, which are asked as well. */
void reload_sip_agent_targets(struct reload_sip_agent *agent, uint32_t id,
                              const struct reload_sip_target *targets, size_t count, bool cached,
                              struct reload_time now);
/* Nothing came of it: 480 when the overlay gave no answer, 482 for addresses in a circle. */
void reload_sip_agent_lookup_failed(struct reload_sip_agent *agent, uint32_t id, int status,
                                    struct reload_time now);

/* --- calls --- */
/* Calls an address of record ("bob@example.org", "sips:..." for application 5061 only), each of its
 * devices, or the one that a GRUU names (RFC 7904 s6). `media` NULL: they are found, and channels
 * to them made, while own media gather; the INVITE waits for reload_sip_agent_offer().
 * RELOAD_E_INVALID: no such address, or media that cannot be told; RELOAD_E_LIMIT,
 * RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_sip_agent_call(struct reload_sip_agent *agent, const char *aor,
                                          const struct reload_sip_media *media,
                                          struct reload_time now, uint32_t *call);
/* The offer of a call that has none. RELOAD_E_STATE: it does not wait for one; RELOAD_E_INVALID: as
 * above. */
RELOAD_MUST_USE int reload_sip_agent_offer(struct reload_sip_agent *agent, uint32_t call,
                                           const struct reload_sip_media *media,
                                           struct reload_time now);
/* Takes an incoming call. `media` is the answer, or the offer when the caller made none.
 * RELOAD_E_STATE: it does not wait for that; RELOAD_E_INVALID: as above. */
RELOAD_MUST_USE int reload_sip_agent_answer(struct reload_sip_agent *agent, uint32_t call,
                                            const struct reload_sip_media *media,
                                            struct reload_time now);
/* Refuses an incoming call: 486 busy, 603 declined, 480 not there ... RELOAD_E_INVALID for a status
 * that is no refusal (400 to 699), RELOAD_E_STATE. */
RELOAD_MUST_USE int reload_sip_agent_decline(struct reload_sip_agent *agent, uint32_t call,
                                             int status, struct reload_time now);
/* Ends a call in any state: CANCEL, BYE or 486. CALL_STATE follows. RELOAD_E_NOT_FOUND. */
RELOAD_MUST_USE int reload_sip_agent_hangup(struct reload_sip_agent *agent, uint32_t call,
                                            struct reload_time now);
/* The same, since something has failed here: `status`, 400 to 699, ends the call, and the far end
 * of an established one is told (RFC 3326). RELOAD_E_INVALID: no such status. */
RELOAD_MUST_USE int reload_sip_agent_abandon(struct reload_sip_agent *agent, uint32_t call,
                                             int status, struct reload_time now);
/* Holds or resumes (RFC 3264 s8.4). CALL_MEDIA follows, or CALL_CHANGE with why not. RELOAD_E_STATE
 * when it is not established or another change is under way. */
RELOAD_MUST_USE int reload_sip_agent_hold(struct reload_sip_agent *agent, uint32_t call, bool hold,
                                          struct reload_time now);
/* Own media moved: other addresses, ICE restarted (RFC 8839 s4.4.1.1.1). As above. */
RELOAD_MUST_USE int reload_sip_agent_move(struct reload_sip_agent *agent, uint32_t call,
                                          const struct reload_sip_media *media,
                                          struct reload_time now);
/* The answer to CALL_MOVED: own media, which may be what it was. NULL refuses (488). */
RELOAD_MUST_USE int reload_sip_agent_follow(struct reload_sip_agent *agent, uint32_t call,
                                            const struct reload_sip_media *media,
                                            struct reload_time now);

/* --- messages and questions --- */
/* Sends text to every device of an address, or to that of a GRUU (RFC 3428). ERRAND_DONE tells its
 * fate: delivered with the first 2xx. `type` NULL is text/plain; charset=utf-8. RELOAD_E_INVALID:
 * no address, no text, or a type that is no media type; RELOAD_E_LIMIT (also for text above
 * RELOAD_SIP_TEXT_MAX), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_sip_agent_message(struct reload_sip_agent *agent, const char *aor,
                                             const char *type, const char *text, size_t len,
                                             struct reload_time now, uint32_t *errand);
/* OPTIONS: what ERRAND_DONE tells is whether somebody is there. */
RELOAD_MUST_USE int reload_sip_agent_options(struct reload_sip_agent *agent, const char *aor,
                                             struct reload_time now, uint32_t *errand);

/* --- time and actions --- */
enum reload_sip_call_state {
    RELOAD_SIP_FINDING,     /* outgoing: looking up, forming channels */
    RELOAD_SIP_INVITING,    /* outgoing: an INVITE is on its way */
    RELOAD_SIP_RINGING,     /* outgoing: a device rings */
    RELOAD_SIP_OFFERED,     /* incoming: waits for answer() or decline() */
    RELOAD_SIP_ACCEPTED,    /* incoming: taken, the ACK is missing */
    RELOAD_SIP_ESTABLISHED, /* both: talk */
    RELOAD_SIP_CANCELLING,  /* outgoing: given up, waits for the last answers */
    RELOAD_SIP_CLOSING,     /* both: BYE sent */
    RELOAD_SIP_ENDED,       /* both: the number is not valid any more */
};
const char *reload_sip_call_state_text(enum reload_sip_call_state state);

enum reload_sip_action_type {
    RELOAD_SIP_ACTION_OPEN_CHANNEL,
    RELOAD_SIP_ACTION_SEND,
    RELOAD_SIP_ACTION_CLOSE,
    RELOAD_SIP_ACTION_LOOKUP,
    RELOAD_SIP_ACTION_CALL_INCOMING,
    RELOAD_SIP_ACTION_CALL_STATE,
    RELOAD_SIP_ACTION_CALL_MEDIA,  /* offer and answer agree: this is what holds from now on */
    RELOAD_SIP_ACTION_CALL_MOVED,  /* the far end has other addresses: wants follow() */
    RELOAD_SIP_ACTION_CALL_CHANGE, /* an own hold() or move() was refused: all stays */
    RELOAD_SIP_ACTION_CALL_CUT,    /* the channel of an established call broke: its far end may be
                                      gone, if its media are silent, too */
    RELOAD_SIP_ACTION_MESSAGE,
    RELOAD_SIP_ACTION_ERRAND_DONE,
};

/* Texts and bytes are valid until the next call of this agent. */
struct reload_sip_action {
    enum reload_sip_action_type type;
    uint32_t channel;     /* OPEN_CHANNEL, SEND, CLOSE */
    uint32_t id;          /* LOOKUP, CALL_*, ERRAND_DONE: of the call or errand */
    const uint8_t *bytes; /* SEND; OPEN_CHANNEL: the destination list; MESSAGE: the text */
    size_t len;
    struct reload_node_id node_id; /* OPEN_CHANNEL: whom the far end must prove; len 0: whoever
                                      signed the answer to AppAttach. MESSAGE, CALL_INCOMING: from
                                      where */
    uint16_t application;          /* OPEN_CHANNEL */
    const char *user; /* LOOKUP: the address, or GRUU. CALL_INCOMING, MESSAGE: of the certificate.
                         CALL_STATE from ESTABLISHED on: of whoever answered */
    const char *display;              /* CALL_INCOMING: what the caller calls himself, or "" */
    const char *content_type;         /* MESSAGE */
    bool fresh;                       /* LOOKUP: not from a cache */
    enum reload_sip_call_state state; /* CALL_STATE */
    int status; /* CALL_STATE ENDED: the SIP status that ended it, 200 for a BYE or a hangup() of
                   an established call, or the reason of a BYE (RFC 3326), 487 for one given up
                   before. CALL_CHANGE, ERRAND_DONE */
    int cause;  /* CALL_STATE ENDED by the far end: what it gave as the reason (RFC 3326); 200:
                   another device has answered, 0: nothing */
    const struct reload_sip_media *media; /* CALL_MEDIA, CALL_MOVED: the far end's. CALL_INCOMING:
                                             its offer, NULL when it made none */
    bool dtls_client;                     /* CALL_MEDIA: this end starts the handshake */
    bool ice_controlling;                 /* CALL_MEDIA */
    bool send, receive;                   /* CALL_MEDIA: what the directions allow */
    uint8_t opus_payload, event_payload;  /* CALL_MEDIA: RTP payload types; event 0: none */
};

uint64_t reload_sip_agent_deadline(const struct reload_sip_agent *agent); /* monotonic ms */
void reload_sip_agent_tick(struct reload_sip_agent *agent, struct reload_time now);
bool reload_sip_agent_next(struct reload_sip_agent *agent, struct reload_sip_action *action);

/* --- looking in --- */
const struct reload_sip_counters *reload_sip_agent_counters(const struct reload_sip_agent *agent);
struct reload_sip_sizes {
    size_t channels, calls, errands, transactions, actions;
};
struct reload_sip_sizes reload_sip_agent_sizes(const struct reload_sip_agent *agent);

#endif
