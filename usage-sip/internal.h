#ifndef USAGE_SIP_INTERNAL_H
#define USAGE_SIP_INTERNAL_H

#include <stdlib.h> /* osip_free() is a macro of free() */
#include <sys/queue.h>
#include <sys/time.h>

#include <osip2/osip.h>
#include <osip2/osip_dialog.h>

#include "usage-sip/agent.h"
#include "usage-sip/aor.h"
#include "usage-sip/framing.h"
#include "usage-sip/gruu.h"

/* What the files of the agent share.
 *
 * The way of a message in: channel.c cuts it off the stream, receive.c parses and judges it and
 * finds its transaction, then request.c or response.c hand it to a call or an errand. The way out:
 * message.c builds it, channel.c finds or opens the channel, transaction.c lets libosip2 send it.
 * Calls and errands are named by number wherever something outlives a function: an owner that is
 * gone is simply not found. */

#define RELOAD_SIP_TAG_LEN 16 /* characters of tags, branches (less the cookie) and Call-IDs */
#define RELOAD_SIP_ID_TEXT (RELOAD_SIP_TAG_LEN + 1)
#define RELOAD_SIP_T1_MS   500 /* RFC 3261 s17.1.1.1; libosip2's own */

/* --- channels --- */
enum reload_sip_channel_state { RELOAD_SIP_CHANNEL_OPENING, RELOAD_SIP_CHANNEL_UP };

struct reload_sip_waiting { /* a request that waits for its channel */
    STAILQ_ENTRY(reload_sip_waiting) link;
    osip_message_t *request;
    uint32_t owner;
};

struct reload_sip_route { /* where requests of a leg or a dialog go */
    struct reload_node_id node_id;
    uint8_t destinations[RELOAD_SIP_GRUU_LIST_MAX];
    size_t destinations_len;
    uint16_t application;
};

struct reload_sip_channel {
    TAILQ_ENTRY(reload_sip_channel) link;
    uint32_t number;
    enum reload_sip_channel_state state;
    struct reload_sip_route route; /* UP: with the Node-ID that was proven */
    struct reload_sip_aor user;    /* of the far certificate; len 0: none */
    bool datagram;
    uint64_t used_ms; /* last message either way */
    uint64_t sent_ms; /* last bytes sent, or it was opened */
    struct reload_sip_framing framing;
    struct reload_sip_queued *closing; /* its CLOSE, which must not fail for want of memory */
    STAILQ_HEAD(, reload_sip_waiting) waiting;
    size_t waiting_count;
};
TAILQ_HEAD(reload_sip_channels, reload_sip_channel);

/* --- legs: one request to one device --- */
enum reload_sip_leg_state {
    RELOAD_SIP_LEG_WAITING,   /* for the offer */
    RELOAD_SIP_LEG_ASKED,     /* request sent, nothing heard */
    RELOAD_SIP_LEG_HEARD,     /* a provisional answer came */
    RELOAD_SIP_LEG_CANCELLED, /* CANCEL sent */
    RELOAD_SIP_LEG_DONE,      /* a final answer came, or none ever will */
};

struct reload_sip_leg {
    uint32_t number; /* owner of its transactions */
    enum reload_sip_leg_state state;
    struct reload_sip_route route;
    struct reload_sip_aor aor; /* whose device it is */
    char branch[RELOAD_SIP_ID_TEXT];
};

struct reload_sip_fork { /* the legs of a call or an errand */
    struct reload_sip_leg legs[RELOAD_SIP_TARGETS_MAX];
    size_t count;
    int best;        /* the best refusal so far; 0: none */
    bool refreshing; /* the targets were not fresh: others may follow */
};

/* --- whom a call or an errand is for --- */
struct reload_sip_callee {
    struct reload_sip_aor aor;
    char gruu[RELOAD_SIP_GRUU_PARAMETER_MAX + 1]; /* of a GRUU what follows the address; or "" */
    bool secure;                                  /* sips */
};

/* --- calls --- */
enum reload_sip_change { /* of an established session */
                         RELOAD_SIP_STEADY,
                         RELOAD_SIP_CHANGE_ASKED,  /* own re-INVITE under way */
                         RELOAD_SIP_CHANGE_GLARE,  /* answered 491: tried again later */
                         RELOAD_SIP_CHANGE_OFFERED /* the far end's re-INVITE waits for follow() */
};

struct reload_sip_accepted {  /* a 2xx to an INVITE, sent until its ACK comes (s13.3.1.4) */
    osip_message_t *response; /* NULL: none */
    uint32_t cseq;
    uint64_t repeat_ms, until_ms;
    unsigned interval_ms;
    bool offered;                  /* it holds an offer: the ACK brings the answer */
    struct reload_sip_media local; /* that offer */
};

struct reload_sip_call {
    TAILQ_ENTRY(reload_sip_call) link;
    uint32_t number;
    bool outgoing;
    enum reload_sip_call_state state;
    uint64_t deadline_ms;            /* of the state */
    struct reload_sip_callee callee; /* of an outgoing one */
    bool offers;                     /* outgoing: `local` can be offered; legs wait until it can */
    char call_id[128], local_tag[RELOAD_SIP_ID_TEXT], remote_tag[128];
    char branch[128]; /* incoming: of its INVITE */
    uint32_t local_cseq, remote_cseq;
    struct reload_sip_fork fork;
    int end_status; /* CANCELLING, CLOSING: what to report */
    int cause;      /* that the far end gave for its end (RFC 3326); 0: none */
    /* the dialog, from the first 2xx on */
    osip_dialog_t *dialog;
    struct reload_sip_route route;
    uint32_t channel;               /* it was last seen on */
    struct reload_sip_aor far_user; /* with whom it was made, by certificate */
    osip_message_t *ack;            /* of the last 2xx, to be repeated with it */
    struct reload_sip_accepted accepted;
    /* the session */
    struct reload_sip_media local;
    struct reload_sip_sdp remote, offered; /* offered: waits for follow() */
    bool has_remote, has_local;
    struct reload_sip_origin origin;
    bool hold;        /* own wish */
    bool controlling; /* ICE: made the first offer */
    enum reload_sip_change change;
    uint64_t change_deadline_ms;
    struct reload_sip_media wished; /* CHANGE_ASKED, CHANGE_GLARE: what local becomes */
    bool wished_hold;
};
TAILQ_HEAD(reload_sip_calls, reload_sip_call);

/* --- errands: MESSAGE and OPTIONS of our own --- */
struct reload_sip_errand {
    TAILQ_ENTRY(reload_sip_errand) link;
    uint32_t number;
    const char *method;
    struct reload_sip_callee callee;
    char call_id[RELOAD_SIP_ID_TEXT], local_tag[RELOAD_SIP_ID_TEXT];
    char *type, *body;
    size_t body_len;
    uint64_t deadline_ms;
    bool told; /* ERRAND_DONE: what remains is the user's other devices */
    struct reload_sip_fork fork;
};
TAILQ_HEAD(reload_sip_errands, reload_sip_errand);

#define RELOAD_SIP_DELIVERED_MAX 256 /* texts remembered, so that none is delivered twice */

struct reload_sip_happening { /* what libosip2 told while it ran */
    STAILQ_ENTRY(reload_sip_happening) link;
    uint32_t owner;
    int status;
};

struct reload_sip_queued { /* an action, with the bytes it needs behind it */
    STAILQ_ENTRY(reload_sip_queued) link;
    struct reload_sip_action action;
    struct reload_sip_media media;
    uint8_t bytes[];
};

struct reload_sip_agent {
    char *overlay, *display;
    struct reload_node_id self;
    struct reload_sip_aor user;
    char gruu[RELOAD_SIP_GRUU_MAX + 1]; /* own, RFC 7904 s6; the part from ";gr=" on */
    struct reload_random random;
    const struct reload_log *log;
    struct reload_sip_limits limits;
    struct reload_time now;
    uint32_t last_number; /* of channels, calls, errands, legs: one row, so an owner is unique */
    osip_t *osip;
    size_t transactions;
    STAILQ_HEAD(, reload_sip_happening) happenings;
    struct reload_sip_channels channels;
    size_t channel_count;
    struct reload_sip_calls calls;
    size_t call_count;
    struct reload_sip_errands errands;
    size_t errand_count;
    uint64_t delivered[RELOAD_SIP_DELIVERED_MAX]; /* fingerprints of texts, a ring */
    size_t delivered_next;
    uint64_t secret; /* of tags that are made without state, and of users' marks */
    STAILQ_HEAD(, reload_sip_queued) queue;
    size_t queue_count;
    struct reload_sip_queued *pulled; /* the last one given out */
    uint64_t log_next_ms[RELOAD_SIP_REFUSAL_COUNT];
    struct reload_sip_counters counters;
};

/* agent.c */
void reload_sip_enter(struct reload_sip_agent *agent, struct reload_time now);
uint32_t reload_sip_number(struct reload_sip_agent *agent);
void reload_sip_identifier(struct reload_sip_agent *agent, char out[RELOAD_SIP_ID_TEXT]);
/* FNV-1a of a text and its end, on from `hash`: first the agent's secret. */
uint64_t reload_sip_mix(uint64_t hash, const char *text);
/* Counts and, at most once a second for each reason, logs. */
void reload_sip_refused(struct reload_sip_agent *agent, enum reload_sip_refusal refusal,
                        const struct reload_sip_channel *channel);

/* actions.c: queue an action with copies of what it points to; NULL when out of memory */
struct reload_sip_action *reload_sip_act(struct reload_sip_agent *agent,
                                         enum reload_sip_action_type type, uint32_t id,
                                         const void *bytes, size_t len, const char *user,
                                         const char *text);
struct reload_sip_action *reload_sip_act_media(struct reload_sip_agent *agent,
                                               enum reload_sip_action_type type, uint32_t id,
                                               const struct reload_sip_media *media,
                                               const char *user, const char *text);
/* Memory for an action that is decided on later and must not fail then; NULL when there is none.
 * The caller gives it to reload_sip_act_reserved(), which cannot fail, or to reload_free(). */
struct reload_sip_queued *reload_sip_act_reserve(struct reload_sip_agent *agent);
struct reload_sip_action *reload_sip_act_reserved(struct reload_sip_agent *agent,
                                                  enum reload_sip_action_type type,
                                                  struct reload_sip_queued *queued_take);
void reload_sip_actions_fini(struct reload_sip_agent *agent);

/* channel.c */
struct reload_sip_channel *reload_sip_channel_find(struct reload_sip_agent *agent, uint32_t number);
/* Sends a request on the pooled channel of its route, or once that is up: `owner` hears of it by
 * reload_sip_outcome(). */
void reload_sip_dispatch(struct reload_sip_agent *agent, const struct reload_sip_route *route,
                         osip_message_t *request_take, uint32_t owner);
/* Begins to make a channel that will be needed soon, unless there is one. */
void reload_sip_channel_prepare(struct reload_sip_agent *agent,
                                const struct reload_sip_route *route);
/* The channel of a route that is up, or NULL. */
struct reload_sip_channel *reload_sip_channel_of(struct reload_sip_agent *agent,
                                                 const struct reload_sip_route *route);
/* What waits for a channel in that owner's name is dropped. */
void reload_sip_channels_forget(struct reload_sip_agent *agent, uint32_t owner);
/* 0, or -1 when it is down or the message too large; counted. */
int reload_sip_channel_send(struct reload_sip_agent *agent, uint32_t channel,
                            osip_message_t *message);
void reload_sip_channels_tick(struct reload_sip_agent *agent);
uint64_t reload_sip_channels_deadline(const struct reload_sip_agent *agent);
void reload_sip_channels_fini(struct reload_sip_agent *agent);

/* transaction.c */
RELOAD_MUST_USE int reload_sip_transactions_init(struct reload_sip_agent *agent);
void reload_sip_transactions_fini(struct reload_sip_agent *agent);
void reload_sip_transactions_tick(struct reload_sip_agent *agent);
uint64_t reload_sip_transactions_deadline(const struct reload_sip_agent *agent);
/* Starts a client transaction on a channel that is up. */
void reload_sip_transaction_start(struct reload_sip_agent *agent, uint32_t channel,
                                  osip_message_t *request_take, uint32_t owner);
/* A request that is new: its server transaction, or NULL (counted). It takes the message. */
osip_transaction_t *reload_sip_transaction_serve(struct reload_sip_agent *agent,
                                                 const struct reload_sip_channel *channel,
                                                 osip_message_t *request_take);
/* Server transactions of the user whom the channel's certificate names. */
size_t reload_sip_transactions_of_user(const struct reload_sip_agent *agent,
                                       const struct reload_sip_channel *channel);
osip_transaction_t *reload_sip_transaction_match(struct reload_sip_agent *agent,
                                                 osip_message_t *message);
/* s9.2: whether the INVITE that a CANCEL over this channel is about still has its transaction. */
bool reload_sip_transaction_cancels(const struct reload_sip_agent *agent,
                                    const struct reload_sip_channel *channel,
                                    const osip_message_t *cancel);
/* Runs a received message through a transaction; afterwards it may be gone. */
void reload_sip_transaction_feed(struct reload_sip_agent *agent, osip_transaction_t *transaction,
                                 osip_message_t *message_take);
void reload_sip_transaction_respond(struct reload_sip_agent *agent, osip_transaction_t *transaction,
                                    osip_message_t *response_take);
/* The server transaction of an INVITE that an owner has not answered, or NULL. */
osip_transaction_t *reload_sip_transaction_invite(struct reload_sip_agent *agent, uint32_t owner);
uint32_t reload_sip_transaction_owner(osip_transaction_t *transaction);
void reload_sip_transaction_own(osip_transaction_t *transaction, uint32_t owner);
/* The channel is gone: client transactions on it fail. */
void reload_sip_transactions_lost(struct reload_sip_agent *agent, uint32_t channel);
/* Tells owners what libosip2 reported: timeouts and failures to send. */
void reload_sip_settle(struct reload_sip_agent *agent);
/* To be told by the next reload_sip_settle(): no answer came. Owner 0 is nobody. */
void reload_sip_note(struct reload_sip_agent *agent, uint32_t owner, int status);

#define RELOAD_SIP_ALLOWED "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE"

/* message.c: NULL when out of memory */
struct reload_sip_request {
    const char *method;
    const char *uri;    /* Request-URI */
    const char *to;     /* without tag */
    const char *to_tag; /* or NULL */
    const char *from_tag;
    const char *call_id;
    uint32_t cseq;
    const char *branch;
    bool secure; /* sips in From and Contact */
    bool contact;
};
/* "sip:" or "sips:", the user part escaped (RFC 3261 s19.1.2), then `suffix`. */
#define RELOAD_SIP_URI_TEXT (RELOAD_SIP_GRUU_MAX + 2 * RELOAD_SIP_AOR_MAX + 8)
void reload_sip_uri_text(const struct reload_sip_aor *aor, bool secure, const char *suffix,
                         char out[RELOAD_SIP_URI_TEXT]);
osip_message_t *reload_sip_request_new(struct reload_sip_agent *agent,
                                       const struct reload_sip_request *request);
osip_message_t *reload_sip_dialog_request(struct reload_sip_agent *agent,
                                          const osip_dialog_t *dialog, const char *method,
                                          uint32_t cseq, bool secure);
osip_message_t *reload_sip_cancel_new(const osip_message_t *invite);
/* RFC 3326. */
void reload_sip_add_reason(osip_message_t *message, int cause);
/* `tag`: for To when it has none; NULL: none is put. */
osip_message_t *reload_sip_response_new(const osip_message_t *request, int status, const char *tag);
void reload_sip_add_header(osip_message_t *message, const char *name, const char *value);
void reload_sip_add_contact(struct reload_sip_agent *agent, osip_message_t *message, bool secure);
int reload_sip_add_body(osip_message_t *message, const char *type, const char *body, size_t len);
/* The top Via says how the channel carries it. */
void reload_sip_set_transport(osip_message_t *request, bool datagram);
const char *reload_sip_branch(const osip_message_t *message); /* "" when there is none */
const char *reload_sip_tag(const osip_from_t *from_or_to);    /* "" when there is none */
RELOAD_MUST_USE int reload_sip_uri_aor(const osip_uri_t *uri, struct reload_sip_aor *out);
uint32_t reload_sip_cseq(const osip_message_t *message);

/* callee.c */
/* RELOAD_E_INVALID: no address of record, and no URI of one. */
RELOAD_MUST_USE int reload_sip_callee_read(const struct reload_sip_agent *agent, const char *text,
                                           struct reload_sip_callee *out);
/* False: no memory for it, nothing will come. */
bool reload_sip_callee_look_up(struct reload_sip_agent *agent,
                               const struct reload_sip_callee *callee, uint32_t owner, bool fresh);
/* Request-URI and To of a leg's request. */
void reload_sip_callee_uris(const struct reload_sip_callee *callee,
                            const struct reload_sip_leg *leg, bool secure,
                            char uri[RELOAD_SIP_URI_TEXT], char to[RELOAD_SIP_URI_TEXT]);

/* read.c */
struct reload_sip_reading {
    osip_message_t *message; /* NULL: nothing to answer to */
    int status;              /* 0: good; else what a request is answered with */
    enum reload_sip_refusal refusal;
};
void reload_sip_read(struct reload_slice bytes, struct reload_sip_reading *out);

/* receive.c */
void reload_sip_receive(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                        struct reload_slice bytes);
/* Answers without a transaction, with a To tag that a repeated request gets again (s8.2.7). */
void reload_sip_answer_stateless(struct reload_sip_agent *agent, uint32_t channel,
                                 const osip_message_t *request, int status);
/* Answers in its transaction with a status and no more. */
void reload_sip_answer_plain(struct reload_sip_agent *agent, osip_transaction_t *transaction,
                             int status);

/* outcome.c: what became of a client transaction, or of a request that never got a channel.
 * `answer` is NULL when there was none: status is then 408 (timeout) or 503 (no channel). */
void reload_sip_outcome(struct reload_sip_agent *agent, uint32_t owner, uint32_t channel,
                        int status, osip_message_t *answer);

/* fork.c */
/* Legs to those targets that are new, WAITING. */
void reload_sip_fork_take(struct reload_sip_agent *agent, struct reload_sip_fork *fork, bool secure,
                          const struct reload_sip_target *targets, size_t count);
struct reload_sip_leg *reload_sip_fork_leg(struct reload_sip_fork *fork, uint32_t number);
bool reload_sip_fork_done(const struct reload_sip_fork *fork);
/* Keeps the better of two refusals (RFC 3261 s16.7 step 6). */
void reload_sip_fork_refused(struct reload_sip_fork *fork, int status);

/* errand.c */
struct reload_sip_errand *reload_sip_errand_find(struct reload_sip_agent *agent, uint32_t number);
struct reload_sip_errand *reload_sip_errand_of_leg(struct reload_sip_agent *agent, uint32_t leg);
void reload_sip_errand_targets(struct reload_sip_agent *agent, struct reload_sip_errand *errand,
                               const struct reload_sip_target *targets, size_t count, bool cached);
void reload_sip_errand_lookup_failed(struct reload_sip_agent *agent,
                                     struct reload_sip_errand *errand, int status);
void reload_sip_errand_done(struct reload_sip_agent *agent, struct reload_sip_errand *errand,
                            int status);
void reload_sip_errand_outcome(struct reload_sip_agent *agent, struct reload_sip_errand *errand,
                               struct reload_sip_leg *leg, int status);
void reload_sip_errands_tick(struct reload_sip_agent *agent);
uint64_t reload_sip_errands_deadline(const struct reload_sip_agent *agent);
void reload_sip_errands_fini(struct reload_sip_agent *agent);

/* text_in.c */
void reload_sip_message_arrived(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                                osip_transaction_t *transaction);

/* call.c */
struct reload_sip_call *reload_sip_call_new(struct reload_sip_agent *agent, bool outgoing);
/* Frees one that was never entered into a state. */
void reload_sip_call_drop(struct reload_sip_agent *agent, struct reload_sip_call *call);
struct reload_sip_call *reload_sip_call_find(struct reload_sip_agent *agent, uint32_t number);
struct reload_sip_call *reload_sip_call_of_leg(struct reload_sip_agent *agent, uint32_t leg);
/* By Call-ID and both tags. */
struct reload_sip_call *reload_sip_call_of_dialog(struct reload_sip_agent *agent,
                                                  const osip_message_t *request);
/* The one that assigns a call's state: deadline, CALL_STATE; ENDED frees it. */
void reload_sip_call_enter(struct reload_sip_agent *agent, struct reload_sip_call *call,
                           enum reload_sip_call_state state, int status);
void reload_sip_calls_tick(struct reload_sip_agent *agent);
uint64_t reload_sip_calls_deadline(const struct reload_sip_agent *agent);
/* Incoming calls that came by a channel that is gone cannot be answered any more; of established
 * ones the host is told. */
void reload_sip_calls_lost(struct reload_sip_agent *agent, uint32_t channel);
void reload_sip_calls_fini(struct reload_sip_agent *agent);
/* Ends an established session; the call ends with that status when the BYE is answered. */
void reload_sip_call_bye(struct reload_sip_agent *agent, struct reload_sip_call *call, int status);
void reload_sip_call_bye_answered(struct reload_sip_agent *agent, struct reload_sip_call *call);

/* call_out.c */
void reload_sip_call_targets(struct reload_sip_agent *agent, struct reload_sip_call *call,
                             const struct reload_sip_target *targets, size_t count, bool cached);
void reload_sip_call_lookup_failed(struct reload_sip_agent *agent, struct reload_sip_call *call,
                                   int status);
void reload_sip_call_give_up(struct reload_sip_agent *agent, struct reload_sip_call *call,
                             int status);
void reload_sip_call_leg_outcome(struct reload_sip_agent *agent, struct reload_sip_call *call,
                                 struct reload_sip_leg *leg, uint32_t channel, int status,
                                 osip_message_t *answer);

/* ack.c: of the client */
/* Acknowledges a 2xx in the call's dialog, and again whenever it is repeated. */
void reload_sip_call_acknowledge(struct reload_sip_agent *agent, struct reload_sip_call *call,
                                 uint32_t cseq);
/* A device that answered too late: acknowledged and told to end (s13.2.2.4). */
void reload_sip_call_too_late(struct reload_sip_agent *agent, uint32_t channel,
                              osip_message_t *answer);
/* A 2xx to an INVITE that has no transaction any more. */
void reload_sip_call_stray(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                           osip_message_t *answer);

/* call_in.c */
/* An INVITE that made a call already: true when it was dealt with. */
bool reload_sip_invite_again(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                             const osip_message_t *invite);
void reload_sip_invite_arrived(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                               osip_transaction_t *transaction);
void reload_sip_cancel_arrived(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                               osip_transaction_t *transaction);
void reload_sip_bye_arrived(struct reload_sip_agent *agent, struct reload_sip_call *call,
                            osip_transaction_t *transaction);
void reload_sip_ack_arrived(struct reload_sip_agent *agent, struct reload_sip_channel *channel,
                            const osip_message_t *ack);
void reload_sip_call_refuse(struct reload_sip_agent *agent, struct reload_sip_call *call,
                            int status);

/* accept.c: the 2xx to an INVITE and its ACK, of the server */
/* RELOAD_E_NOMEM: nothing was sent. */
RELOAD_MUST_USE int reload_sip_call_accept(struct reload_sip_agent *agent,
                                           struct reload_sip_call *call,
                                           osip_transaction_t *transaction,
                                           const char *description);
void reload_sip_accepted_repeat(struct reload_sip_agent *agent, struct reload_sip_call *call);
void reload_sip_accepted_clear(struct reload_sip_call *call);
/* Sends it again, or ends the call when no ACK comes. False when the call is gone. */
bool reload_sip_accepted_tick(struct reload_sip_agent *agent, struct reload_sip_call *call);

/* change.c */
void reload_sip_change_enter(struct reload_sip_call *call, enum reload_sip_change change,
                             uint64_t deadline_ms);
void reload_sip_change_outcome(struct reload_sip_agent *agent, struct reload_sip_call *call,
                               uint32_t channel, int status, osip_message_t *answer);
void reload_sip_change_tick(struct reload_sip_agent *agent, struct reload_sip_call *call);

/* change_in.c */
void reload_sip_reinvite_arrived(struct reload_sip_agent *agent, struct reload_sip_call *call,
                                 osip_transaction_t *transaction);
/* The far end's re-INVITE waits no longer: it is answered with a refusal. */
void reload_sip_change_refuse(struct reload_sip_agent *agent, struct reload_sip_call *call,
                              int status);

/* session.c: offer and answer of a call */
/* Reads the description in a message. RELOAD_E_NOT_FOUND: there is no body; else as
 * reload_sip_sdp_read(), RELOAD_E_INVALID for a body of another type. */
RELOAD_MUST_USE int reload_sip_session_read(const osip_message_t *message,
                                            struct reload_sip_sdp *out);
/* Writes an offer; *local gets what the agent decides of it. */
RELOAD_MUST_USE int reload_sip_session_offer(struct reload_sip_call *call,
                                             struct reload_sip_media *local, bool hold, char **out);
/* Writes the answer to call->remote, and takes *media as call->local. */
RELOAD_MUST_USE int reload_sip_session_answer(struct reload_sip_call *call,
                                              const struct reload_sip_media *media, char **out);
/* Takes the answer to our offer *local, which becomes call->local. RELOAD_E_INVALID or an error of
 * reload_sip_session_read() when it is none; then all stays. */
RELOAD_MUST_USE int reload_sip_session_answered(struct reload_sip_call *call,
                                                const struct reload_sip_media *local,
                                                const osip_message_t *message);
void reload_sip_session_tell(struct reload_sip_agent *agent, const struct reload_sip_call *call);

#endif
