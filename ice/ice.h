#ifndef RELOAD_ICE_ICE_H
#define RELOAD_ICE_ICE_H

#include <glib.h>

#include "reload/link/address.h"
#include "reload/wire/candidate.h"

/* ICE as RELOAD profiles it (RFC 6940 s6.5.1.3 to s6.5.1.14), on libnice: a channel carries
 * datagrams to one far end, whose candidates came in an Attach or AppAttach.
 *
 *   reload_ice_channel_new()          -> event GATHERED, or FAILED
 *   credentials() and candidates()       go out in the AttachReqAns
 *   reload_ice_channel_set_remote()      what the other AttachReqAns said; once, before or after
 *                                        GATHERED -> event CONNECTED, or FAILED
 *   send(), event DATAGRAM               until event FAILED (consent lost) or free()
 *
 * Nothing calls back: what happens is queued and pulled with reload_ice_next(), from the one thread
 * that runs the main context. Any function may be called between two pulls.
 *
 * Profile: full ICE, one stream of one component, no default candidates, one offer and one answer,
 * aggressive nomination (RFC 5245 s8.1.1.2: the pair may still change to a better one just after
 * CONNECTED), no TCP candidates. The role is given by who sent the Attach. Keepalives are STUN
 * Binding requests, one every 5 s or so: when none is answered for 50 s, the channel fails.
 *
 * What the library does not allow of s6.5.1.4 and the rest of the profile:
 *  - A channel asks one STUN server, not one of each group. Successive channels take the groups in
 *    turn (reload_ice_stun_servers_pick()); peer-reflexive candidates of the checks fill the gap.
 *  - That server has one address family, so only candidates of that family get a server reflexive
 *    one.
 *  - Its sockets are its own: the reflexive address of the bare UDP port is found by
 *    ice/stun_client.h, and a channel's port answers no Binding request of a stranger.
 *  - The round-trip time of its checks is not told. reload/frame/rtt.h measures it on the link.
 *  - A relayed candidate's related address is the local one, not the one the TURN server saw.
 *  - RFC 7675 has consent end after 30 s. The library knows 10 s and 50 s, and 10 s is two checks:
 *    on a path that loses a fifth of the packets each way a channel would live for a minute. A link
 *    on the channel finds out sooner by itself (reload/link/datagram.h: IDLE).
 *  - Role reversal (s6.5.1.9 never needs it) can neither be switched off nor noticed. A far end
 * that claims our role gains nothing: who is DTLS server follows from the Attach.
 *  - With TURN over UDP the server reflexive candidate is the one that the TURN server shows, and
 *    no STUN server of that address family is asked: its answer would be lost on a socket that also
 *    waits for one of TURN. */

#define RELOAD_ICE_REMOTE_CANDIDATES_MAX 20   /* taken from one AttachReqAns, in its order */
#define RELOAD_ICE_LOCAL_CANDIDATES_MAX  20   /* told in one AttachReqAns, by falling priority */
#define RELOAD_ICE_CHECKS_MAX            100  /* candidate pairs checked for one channel */
#define RELOAD_ICE_CHANNELS_MAX          1024 /* of one reload_ice */
#define RELOAD_ICE_DATAGRAMS_MAX         256  /* waiting in the queue, of one channel */
#define RELOAD_ICE_DATAGRAM_LEN_MAX      65507
#define RELOAD_ICE_TURN_SERVERS_MAX      4
#define RELOAD_ICE_ADDRESSES_MAX         16 /* local addresses given by the host */
#define RELOAD_ICE_PACING_MS             20 /* between checks, unless pace() says another */
#define RELOAD_ICE_PACING_LEAST_MS       5  /* RFC 8445 s14.2 */
#define RELOAD_ICE_UFRAG_MIN             4  /* RFC 5245 s15.4 */
#define RELOAD_ICE_PASSWORD_MIN          22

struct reload_ice;         /* what channels share: main context, queue, counters */
struct reload_ice_channel; /* one connection to be */

/* RFC 6940 s6.5.1.9 */
enum reload_ice_role {
    RELOAD_ICE_CONTROLLED,  /* sent the AttachAns */
    RELOAD_ICE_CONTROLLING, /* sent the AttachReq */
};

enum reload_ice_state {
    RELOAD_ICE_GATHERING,
    RELOAD_ICE_GATHERED, /* candidates are known, those of the far end are not */
    RELOAD_ICE_CHECKING,
    RELOAD_ICE_CONNECTED,
    RELOAD_ICE_FAILED, /* for good */
};

enum reload_ice_turn_transport { RELOAD_ICE_TURN_UDP, RELOAD_ICE_TURN_TCP };

struct reload_ice_turn_server {
    struct reload_link_address address;
    enum reload_ice_turn_transport transport; /* between here and the server; it relays UDP */
    const char *user_name, *password;         /* long-term credentials (RFC 5389 s10.2) */
};

struct reload_ice_channel_config {
    enum reload_ice_role role;
    struct reload_slice ufrag, password;           /* both empty: made by the library */
    const struct reload_link_address *stun_server; /* NULL: no server reflexive candidates */
    const struct reload_ice_turn_server *turn_servers;
    size_t turn_server_count;                          /* 0: no relayed candidates (s6.5.1.5) */
    const struct reload_link_address *local_addresses; /* ports are ignored */
    size_t local_address_count;  /* 0: every address of this machine but loopback */
    uint16_t port_min, port_max; /* of host candidates; 0: the system chooses */
    bool relay_only;
    void *user; /* comes back in each event */
};

enum reload_ice_event_type {
    RELOAD_ICE_EVENT_GATHERED,
    RELOAD_ICE_EVENT_CONNECTED, /* a pair is selected: send() works */
    RELOAD_ICE_EVENT_DATAGRAM,
    RELOAD_ICE_EVENT_FAILED, /* the last one of a channel */
};

struct reload_ice_event {
    enum reload_ice_event_type type;
    struct reload_ice_channel *channel;
    void *user;
    struct reload_slice datagram; /* DATAGRAM; until the next reload_ice_next() */
    /* FAILED: RELOAD_E_TIMEOUT (no pair works), RELOAD_E_CLOSED (consent lost), RELOAD_E_IO (no
     * candidates at all), RELOAD_E_NOMEM. */
    int error;
    const char *reason; /* FAILED: a sentence; static */
};

/* candidate types; the RFC's three and what checks discover */
enum reload_ice_pair_type {
    RELOAD_ICE_HOST,
    RELOAD_ICE_SRFLX,
    RELOAD_ICE_PRFLX,
    RELOAD_ICE_RELAY,
};
const char *reload_ice_pair_type_text(enum reload_ice_pair_type type); /* "host", "srflx", ... */

struct reload_ice_pair {
    enum reload_ice_pair_type local_type, remote_type;
    struct reload_link_address local, remote;
    bool relayed; /* one of the two is a relay; else the path is direct */
};

struct reload_ice_stats {
    uint64_t channels, connected, failed, consent_lost;
    uint64_t datagrams_sent, datagrams_received;
    uint64_t send_failed;        /* refused by the system or before CONNECTED */
    uint64_t queue_full;         /* received datagrams dropped: RELOAD_ICE_DATAGRAMS_MAX */
    uint64_t candidates_taken;   /* of far ends */
    uint64_t candidates_over;    /* beyond RELOAD_ICE_REMOTE_CANDIDATES_MAX */
    uint64_t candidates_refused; /* an address nothing may be sent to, an overlong foundation */
    uint64_t candidates_unknown; /* another overlay link or address type: ignored */
};

/* --- what channels share --- */

/* context: NULL is the default one; a reference is kept. NULL when out of memory. */
struct reload_ice *reload_ice_new(GMainContext *context);
/* Frees its channels too. A TURN allocation is given back while the context goes on running. */
void reload_ice_free(struct reload_ice *ice);
/* The oldest event: false when there is none. */
bool reload_ice_next(struct reload_ice *ice, struct reload_ice_event *event);
/* Whether next() has something. */
bool reload_ice_waits(const struct reload_ice *ice);
/* A source that is ready while events wait. The caller sets its callback, attaches and unrefs it;
 * it must be destroyed before reload_ice_free(). */
GSource *reload_ice_source_new(struct reload_ice *ice);
const struct reload_ice_stats *reload_ice_stats(const struct reload_ice *ice);

/* --- one channel --- */

/* Starts gathering. 0; RELOAD_E_INVALID (a bad address, one credential without the other, or
 * characters that ICE has not), RELOAD_E_LIMIT (RELOAD_ICE_CHANNELS_MAX, too many servers or
 * addresses), RELOAD_E_IO (no socket), RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_ice_channel_new(struct reload_ice *ice,
                                           const struct reload_ice_channel_config *config,
                                           struct reload_ice_channel **out);
/* Closes and frees; its waiting events are gone. NULL is fine. */
void reload_ice_channel_free(struct reload_ice_channel *channel);

enum reload_ice_state reload_ice_channel_state(const struct reload_ice_channel *channel);
/* Own credentials, from the start; they live as long as the channel. */
struct reload_slice reload_ice_channel_ufrag(const struct reload_ice_channel *channel);
struct reload_slice reload_ice_channel_password(const struct reload_ice_channel *channel);

/* Own candidates as an AttachReqAns carries them, by falling priority: overlay link DTLS_UDP_SR,
 * no component (it is 1), no default. Up to cap; returns how many. None before GATHERED. Addresses
 * and foundations live as long as the channel. */
size_t reload_ice_channel_candidates(const struct reload_ice_channel *channel,
                                     struct reload_ice_candidate *out, size_t cap);
/* Whether a TURN server gave it a relayed candidate. No before GATHERED. */
bool reload_ice_channel_has_relay(const struct reload_ice_channel *channel);

/* Credentials and the candidates' bytes of the far end's AttachReqAns. Candidates for other overlay
 * links are ignored, bad addresses refused, those beyond the cap left; each is counted. 0;
 * RELOAD_E_STATE at the second call or after FAILED (no subsequent offers, s6.5.1.12);
 * RELOAD_E_DECODE (no candidate list); RELOAD_E_INVALID (ICE and No-ICE mixed, credentials that
 * ICE does not have); RELOAD_E_NOT_FOUND (nothing usable); RELOAD_E_NOMEM. After an error other
 * than STATE the call may be repeated. */
RELOAD_MUST_USE int reload_ice_channel_set_remote(struct reload_ice_channel *channel,
                                                  struct reload_slice ufrag,
                                                  struct reload_slice password,
                                                  struct reload_slice candidates);

/* The checks of a channel go out that far apart (Ta, RFC 8445 s14.2): before set_remote() starts
 * them. The channels that check at one time share PACING_LEAST_MS, so each of n waits n times that
 * at least. */
void reload_ice_channel_pace(struct reload_ice_channel *channel, unsigned int ms);

/* Sends one datagram; the one call that may come from another thread than the context's, as long as
 * the channel is not freed. 0; RELOAD_E_STATE before CONNECTED or after FAILED; RELOAD_E_NOSPACE
 * above RELOAD_ICE_DATAGRAM_LEN_MAX; RELOAD_E_INVALID (empty); RELOAD_E_IO: not taken, as if lost.
 */
RELOAD_MUST_USE int reload_ice_channel_send(struct reload_ice_channel *channel,
                                            struct reload_slice datagram);
/* The selected pair. RELOAD_E_STATE when not CONNECTED. */
RELOAD_MUST_USE int reload_ice_channel_pair(const struct reload_ice_channel *channel,
                                            struct reload_ice_pair *out);

#endif
