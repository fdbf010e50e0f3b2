#ifndef RELOAD_LINK_LINKS_H
#define RELOAD_LINK_LINKS_H

#include "reload/link/address.h"
#include "reload/link/identity.h"
#include "reload/link/pcap.h"
#include "reload/link/role.h"
#include "reload/link_id.h"
#include "reload/log.h"
#include "reload/time.h"

/* Overlay links of type TLS-TCP-FH-NO-ICE (RFC 6940 s6.6.5) and, with reload/link/datagram.h, of
 * the two DTLS types (s6.6.4, s6.6.6): any number of them, listening and dialled, on one epoll
 * descriptor. No threads and no callbacks: bytes go in by send(), what
 * happened comes out of next(). One set is used from one thread at a time.
 *
 *     wait until reload_links_fd() is readable or reload_links_deadline() has come;
 *     reload_links_process(links, now);
 *     while (reload_links_next(links, &event))
 *         act on it, reload_links_send() as needed;     what was sent leaves in one write per link
 *
 * Nothing travels outside TLS (s13.2), and only between ends that both showed a certificate which
 * the identity operations accept.
 *
 * When a link is up. The TLS server knows it when its handshake ends: the client's certificate has
 * been checked. So does a TLS 1.2 client. A TLS 1.3 client finishes first and could still be
 * refused; it is up only when something encrypted arrives from the server after the handshake: a
 * frame, a session ticket, or the KeyUpdate that our servers send for this very purpose. A server
 * that stays silent for RELOAD_LINK_CONFIRM_MS without refusing is taken as content, so that two
 * ends which each wait for the other to speak do not wait forever. */

struct reload_links;

#define RELOAD_LINK_TYPE_DTLS_UDP_SR        1 /* OverlayLinkType, s6.5.1.1 */
#define RELOAD_LINK_TYPE_DTLS_UDP_SR_NO_ICE 3
#define RELOAD_LINK_TYPE_TLS_TCP_FH_NO_ICE  4
#define RELOAD_LINK_DIAL_MAX                16 /* addresses tried by one dial */
#define RELOAD_LINK_CONFIRM_MS              500
/* How long a closed link drains, so that its last message is not lost to a TCP reset. */
#define RELOAD_LINK_LINGER_MS 1000

struct reload_links_limits {      /* a zero takes the default in brackets */
    uint32_t links;               /* all links, in any state [1024] */
    uint32_t handshakes;          /* inbound links that are not up yet [128]; at the limit the
                                     oldest gives way, first one of the newcomer's address */
    uint32_t inbound_per_address; /* inbound links from one address, in any state [256]; at the
                                     limit its oldest handshake gives way */
    uint32_t connect_ms;          /* one TCP connection attempt [5000] */
    uint32_t handshake_ms;        /* from TCP connection to the end of the handshake [10000] */
    uint32_t queue_bytes;         /* waiting to be written on one link [262144] */
    uint32_t queue_messages;      /* the same in messages [256] */
};

struct reload_links_config { /* borrowed while the set lives, except limits */
    const struct reload_link_identity_ops *identity;
    void *identity_context;
    const struct reload_log *log; /* NULL: none */
    struct reload_pcap *pcap;     /* every frame of every link goes here too; NULL: none */
    uint32_t max_message_size;    /* the overlay's, s11.1; at most 2^24-1 */
    uint16_t path_mtu;            /* DTLS: bytes of an IP packet, 320 at least [1280] */
    bool stop_and_wait;           /* DTLS: send as s6.6.3.1 describes instead of with a window */
    struct reload_links_limits limits;
};

/* RELOAD_E_NOMEM; RELOAD_E_INVALID (own certificate and key unusable or not a pair,
 * max_message_size 0); RELOAD_E_IO (no descriptor). The reason is logged. */
RELOAD_MUST_USE int reload_links_new(const struct reload_links_config *config,
                                     struct reload_links **out);
/* Closes every link at once, without events. NULL is fine. */
void reload_links_free(struct reload_links *links);

/* A new configuration is in force: messages above the new size are refused from now on. */
void reload_links_set_max_message_size(struct reload_links *links, uint32_t max_message_size);

/* Accepts TCP connections on an address; port 0 lets the system choose. *actual gets what was
 * bound. `accepted_role` is our TLS role on them: RELOAD_LINK_SERVER unless a test or another
 * implementation needs it otherwise. May be called for several addresses.
 * RELOAD_E_IO (errno tells: in use, no permission), RELOAD_E_LIMIT (8 listeners),
 * RELOAD_E_INVALID (no address). */
RELOAD_MUST_USE int reload_links_listen(struct reload_links *links,
                                        const struct reload_link_address *address,
                                        enum reload_link_role accepted_role,
                                        struct reload_link_address *actual);
/* Accepts nothing there any longer; links that came that way stay. `actual` is what listen() said;
 * another address is ignored. */
void reload_links_unlisten(struct reload_links *links, const struct reload_link_address *actual);

/* Opens a TLS link to the first of `count` addresses that answers, in order (over DTLS:
 * reload_links_dial_datagrams). With `expected` not NULL the link is closed unless the far end's
 * certificate holds that Node-ID (s6.5.1.11). *id names the link; one UP or DOWN event for it
 * follows. RELOAD_E_INVALID (no address, or more than RELOAD_LINK_DIAL_MAX), RELOAD_E_LIMIT
 * (links), RELOAD_E_NOMEM. A refused connection is a DOWN event. */
RELOAD_MUST_USE int reload_links_dial(struct reload_links *links,
                                      const struct reload_link_address *addresses, size_t count,
                                      const struct reload_node_id *expected,
                                      enum reload_link_role role, struct reload_time now,
                                      reload_link_id *id);

/* Queues one message, gathered from parts (their bytes are copied once), in a data frame. It leaves
 * at the end of the round: when next() answers false, or at flush().
 * RELOAD_E_NOT_FOUND (no such link), RELOAD_E_STATE (not up), RELOAD_E_LIMIT (the link's queue is
 * full: the message is dropped and counted), RELOAD_E_INVALID (longer than 2^24-1 bytes),
 * RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_links_send(struct reload_links *links, reload_link_id id,
                                      const struct reload_slice *parts, size_t count,
                                      struct reload_time now);

/* Closes a link after what is queued has been written as far as the socket takes it. Its DOWN event
 * follows, with error 0 and this reason (copied, may be cut). Unknown ids are ignored. */
void reload_links_close(struct reload_links *links, reload_link_id id, const char *reason,
                        struct reload_time now);

/* Asks the identity operations once more about the far end of each link that is up: its certificate
 * may have expired, or a new configuration bar it. Who is no longer accepted loses the link, with a
 * DOWN event. Links of applications are left alone. */
void reload_links_recheck(struct reload_links *links, struct reload_time now);

/* Writes what is queued now; for messages sent outside a round. */
void reload_links_flush(struct reload_links *links, struct reload_time now);

int reload_links_fd(const struct reload_links *links); /* readable when process() has work */
/* Monotonic ms when process() wants to run at the latest; RELOAD_NEVER when only the descriptor
 * counts. */
uint64_t reload_links_deadline(const struct reload_links *links);
/* Looks what is ready and lets time pass. Never blocks. Take all events afterwards: reading happens
 * there, so that a host which is busy slows the far ends down instead of filling memory. */
void reload_links_process(struct reload_links *links, struct reload_time now);

enum reload_link_event_type {
    RELOAD_LINK_UP,        /* authenticated; send() works. Only for links that get this far */
    RELOAD_LINK_MESSAGE,   /* one message */
    RELOAD_LINK_OVERSIZE,  /* a message above max_message_size: `message` holds its first bytes.
                              Nothing  more is read; answer Error_Message_Too_Large if its forwarding
                              header is  whole, then close (s6.6). The link closes itself after 1 s
                              otherwise */
    RELOAD_LINK_SUSPECT,   /* no ack within the RTO: take it out of the Routing Table (s6.6.5) */
    RELOAD_LINK_RECOVERED, /* acks resumed: it may be put back */
    RELOAD_LINK_DOWN,      /* the end of every link that had UP or was dialled; the id is void */
    RELOAD_LINK_RETURNED,  /* after the DOWN of a DTLS link that failed: one message that was given
                              to it and never acknowledged; each comes once */
    RELOAD_LINK_MTU,       /* the path of a DTLS link carries less than was thought: `mtu` */
    RELOAD_LINK_TOO_LONG,  /* after MTU: one message that was given to the link and is too long for
                              it now; each comes once */
    RELOAD_LINK_IDLE,      /* a DTLS link has heard nothing for RELOAD_LINK_IDLE_MS: send something
                              over it, whose ack shows that it is alive. Comes again as often */
    RELOAD_LINK_STUN,      /* a bare port got a STUN message; `link` is 0 */
    RELOAD_LINK_DATAGRAM,  /* `message` is to be sent over the channel of this link */
    RELOAD_LINK_BYTES,     /* of an application: reload/link/raw.h has these three */
    RELOAD_LINK_WRITABLE,
    RELOAD_LINK_ENDED,
};

#define RELOAD_LINK_EVENT_TYPES (RELOAD_LINK_ENDED + 1)

struct reload_link_event { /* pointers and slices are good until the next reload_links_next() or
                              reload_links_process(), whatever is sent or closed in between */
    enum reload_link_event_type type;
    reload_link_id link;
    bool inbound;                        /* the far end opened the TCP connection */
    bool raw;                            /* of an application */
    uint32_t invitation;                 /* raw UP: by which it came; 0: it was dialled */
    struct reload_link_address address;  /* the far end */
    struct reload_link_address local;    /* STUN: the bare port; raw UP: this end */
    struct reload_slice message;         /* MESSAGE, OVERSIZE, TOO_LONG, STUN, ... */
    const struct reload_link_peer *peer; /* UP: the far end's Node-IDs */
    struct reload_slice certificate;     /* UP: its certificate, DER */
    uint8_t link_type;                   /* UP: RELOAD_LINK_TYPE_... */
    uint32_t mtu;                        /* UP, MTU: of a message in one packet; 0: any */
    int error;                           /* DOWN: 0 (either side closed in order) or RELOAD_E_* */
    const char *reason;                  /* DOWN: a sentence for the log */
};

/* The next event; false when there is none, and then everything queued has been written as far as
 * the sockets take it. */
bool reload_links_next(struct reload_links *links, struct reload_link_event *event);

struct reload_link_counters { /* of one link; sums over all links, past ones too, in the set's */
    uint64_t messages_in, messages_out;
    uint64_t message_bytes_in, message_bytes_out;
    uint64_t frames_in, frames_out; /* acks included */
    uint64_t acks_in, acks_out;
    uint64_t bytes_in, bytes_out; /* TCP or UDP payload, with TLS */
    uint64_t retransmissions;     /* of DTLS links; for the others TCP does it */
    uint64_t repeated;            /* DTLS: messages that came again, not reported */
    uint64_t given_up;            /* DTLS: messages that were never acknowledged */
    uint64_t queue_drops;         /* messages refused because the queue was full */
    uint64_t oversize;
    uint64_t suspects;
};

struct reload_links_stats {
    struct reload_link_counters sum;
    uint32_t links, up, handshaking; /* now */
    uint64_t accepted, dialled;
    uint64_t refused_links;       /* inbound, closed at once: limits.links */
    uint64_t refused_per_address; /* limits.inbound_per_address */
    uint64_t refused_descriptors; /* the process had no descriptor left */
    uint64_t failed_certificate;  /* no certificate, or one not accepted, or no longer */
    uint64_t failed_expected;     /* the certificate lacks the expected Node-ID */
    uint64_t failed_timeout;      /* no end within handshake_ms */
    uint64_t evicted;             /* inbound handshakes that made room for newer ones */
    uint64_t failed_tls;          /* anything else: not TLS, no common version, an alert */
    uint64_t failed_framing;      /* links closed by a framing error */
    uint64_t failed_unread;       /* links closed as the far end did not read what it asked for */
    uint64_t failed_dead;         /* links closed since acks did not come back in the grace time */
    uint64_t challenged;          /* bare ports: ClientHellos answered with a cookie */
    uint64_t stun;                /* bare ports: STUN messages */
    uint64_t strays;              /* datagrams that are neither DTLS nor STUN, or of no link */
    uint64_t bad_frames;          /* records that hold no frame */
    uint64_t icmp_errors;         /* hard ones; a link that waits for an ack ends with it */
    uint64_t narrowed;            /* DTLS links whose path drops long datagrams */
    uint64_t replaced;            /* links whose far end began anew */
    uint32_t raw, invitations;    /* of applications, now */
    uint64_t refused_invitations; /* no more of them, or no more ports for them */
    uint64_t expired_invitations; /* nobody came */
    uint64_t dropped_datagrams;   /* of applications that were paused */
};

void reload_links_stats(const struct reload_links *links, struct reload_links_stats *out);

struct reload_link_info { /* for `reload links` */
    reload_link_id link;
    bool inbound, up, suspect;
    bool raw; /* of an application */
    uint8_t link_type;
    enum reload_link_role role;
    struct reload_link_address address;
    struct reload_link_address local; /* len 0: not known, as over a channel of another's */
    struct reload_node_id node_id;    /* the first of the far end's; len 0 before it is known */
    const char *tls_version;          /* "TLSv1.3"; static */
    uint32_t rtt_ms, rto_ms;          /* smoothed; 0 before the first measurement */
    uint32_t unacked;                 /* frames */
    uint32_t queued_bytes, queued_messages;
    struct reload_link_counters counters;
};

/* One link; RELOAD_E_NOT_FOUND. */
RELOAD_MUST_USE int reload_links_info(const struct reload_links *links, reload_link_id id,
                                      struct reload_link_info *out);
/* Ids of the links in use, up to cap of them; returns how many there are. */
size_t reload_links_list(const struct reload_links *links, reload_link_id *ids, size_t cap);

#endif
