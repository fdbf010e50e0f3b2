#ifndef RELOAD_LINK_DATAGRAM_INTERNAL_H
#define RELOAD_LINK_DATAGRAM_INTERNAL_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "reload/frame/duplicates.h"
#include "reload/frame/reliable.h"
#include "reload/link/cookie.h"
#include "reload/link/datagram.h"
#include "reload/link/engine_datagram.h"
#include "reload/link/links_internal.h"

/* What the files of the DTLS links share; nobody else includes this.
 *
 *   datagram.c  one link: handshake, frames in and out, time
 *   udp.c       sockets: opening, and what epoll says of them
 *   udp_send.c  datagrams out
 *   icmp.c      refusals by far ends' systems
 *   demux.c     what arrives: whose it is, and strangers
 *   idle.c      links on which nothing arrives
 *   narrow.c    paths that drop long datagrams
 *   channel.c   links on somebody else's channel                              */

#define RELOAD_UDP_PORTS_MAX 8
#define RELOAD_UDP_ALL_PORTS (RELOAD_UDP_PORTS_MAX + RELOAD_LINK_DOORS_MAX)
#define RELOAD_UDP_BATCH     16    /* datagrams of one recvmmsg() or sendmmsg() */
#define RELOAD_UDP_RUN       64    /* datagrams in one message: the kernel's limit */
#define RELOAD_UDP_RUN_LEN   65000 /* bytes of it */
#define RELOAD_UDP_BUDGET    4     /* batches of one socket in one round */
#define RELOAD_UDP_LEN       (RELOAD_ENGINE_RECORD_MAX + 256) /* of one datagram with its overhead */
#define RELOAD_UDP_JOINED    65536 /* bytes of datagrams that the kernel joined into one message */
#define RELOAD_UDP_BUCKETS   256
/* Room for an own address and a segment length beside a datagram: UDP_GRO tells it as an int. */
#define RELOAD_UDP_CONTROL_LEN (CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)))
/* Epoll data above every link id and listener: bare ports. */
#define RELOAD_UDP_KEY (UINT64_C(2) << 32)

struct reload_udp_port { /* a socket */
    struct reload_links *set;
    struct reload_link *owner;       /* of a dialled link; NULL: a bare port */
    bool is_door;                    /* a bare port that lets in one link, an application's */
    reload_invitation_id invitation; /* of a door until its guest is in */
    int fd;
    struct reload_link_address at;
    bool any;        /* bound to all of the machine's addresses: answers leave from the one asked */
    bool blocked;    /* waits for room to write */
    bool whole_only; /* the kernel cannot cut a message into datagrams */
    bool is_ready;
    uint32_t budget; /* batches it may still read in this round */
    TAILQ_ENTRY(reload_udp_port) in_ready;
};

TAILQ_HEAD(reload_udp_queue, reload_udp_port);

struct reload_datagram_link {     /* the part of a link that only DTLS has */
    struct reload_udp_port *port; /* its own or a bare one; NULL: a channel */
    struct reload_buffer arrived; /* a channel's datagrams, each after its length */
    struct reload_reliable *reliable;
    struct reload_duplicates duplicates;
    uint64_t handshake_ms;   /* when the engine wants time */
    struct reload_frame ack; /* for what came in this batch; its mask covers what came since */
    uint32_t ack_first;      /* the lowest sequence number that it is for */
    bool owes_ack;
    uint64_t heard_ms; /* when the last frame came */
    uint64_t asked_ms; /* when the owner was last told that the link is idle; 0: never */
    bool is_idle;      /* and is to be told */
    bool is_narrow;    /* long datagrams get lost */
    bool tell_mtu;     /* of it, the owner is to be told */
    bool returns;      /* messages that are too long now */
    struct reload_link *same_next; /* in the bucket of its far address */
    bool farewell;                 /* the close_notify, if any, is with the engine */
};

/* A batch that was read and is being handed out. Datagrams of one length that one sender sent in a
 * row may arrive joined in one message (UDP_GRO): the way through the kernel is most of their cost.
 */
struct reload_udp_inbox {
    struct reload_udp_port *port;
    struct mmsghdr messages[RELOAD_UDP_BATCH];
    struct iovec parts[RELOAD_UDP_BATCH];
    struct sockaddr_storage from[RELOAD_UDP_BATCH];
    unsigned count, next;             /* messages */
    size_t next_at;                   /* bytes of the next one that were handed out */
    struct reload_slice datagram;     /* the one at hand */
    size_t segment;                   /* bytes of each one of the message but its last */
    struct reload_link_address far;   /* who sent it */
    struct reload_link **home;        /* the bucket of who sent it */
    struct reload_link_address local; /* and where to */
    reload_link_id reader;            /* who reads it now; 0: nobody */
    _Alignas(struct cmsghdr) uint8_t control[RELOAD_UDP_BATCH][RELOAD_UDP_CONTROL_LEN];
    uint8_t bytes[RELOAD_UDP_BATCH][RELOAD_UDP_JOINED];
    uint8_t channel[RELOAD_UDP_LEN]; /* one that came over a channel */
};

struct reload_datagrams { /* the part of a set that only DTLS needs; made when first wanted */
    struct reload_udp_port *bare[RELOAD_UDP_ALL_PORTS]; /* first those for overlay links */
    struct reload_cookie_jar *jar;
    struct reload_link *by_far[RELOAD_UDP_BUCKETS]; /* inbound links on bare ports */
    struct reload_udp_queue ready;
    struct reload_udp_inbox inbox;
    uint8_t record[RELOAD_ENGINE_RECORD_MAX]; /* what the last one held */
    uint8_t told[RELOAD_UDP_LEN];             /* bytes of the last DATAGRAM event */
};

/* --- datagram.c --- */

/* Makes the DTLS part of a link with its engine and begins the handshake. On failure the link has
 * no DTLS part; port stays the caller's. */
RELOAD_MUST_USE int reload_datagram_begin(struct reload_link *link, struct reload_udp_port *port,
                                          uint16_t path_mtu, bool cookie_shown);
/* Hands the datagram at hand to the link's engine, if its state takes any. */
void reload_datagram_lend(struct reload_link *link, struct reload_slice datagram);
/* Goes on with what was lent. DONE: all of it was taken. */
enum reload_link_step reload_datagram_read(struct reload_link *link,
                                           struct reload_link_event *event);
/* Acknowledges what a batch brought. */
void reload_datagram_send_ack(struct reload_link *link);
/* The far end's system refuses our datagrams, with this errno: the link ends if it waits for it. */
void reload_datagram_refused(struct reload_link *link, int error);

/* --- idle.c --- */

/* When the owner is to be told that nothing arrives. */
uint64_t reload_idle_deadline(const struct reload_link *link);
void reload_idle_tick(struct reload_link *link);

/* --- narrow.c --- */

/* Bytes of a message that also the narrowest path carries; 0: the link's is as narrow. */
uint32_t reload_narrow_len(const struct reload_link *link, uint16_t datagram_len);
/* Acks or time have passed: did the sender find out that its path is narrow? */
void reload_narrow_notice(struct reload_link *link);

/* --- udp.c, udp_send.c, icmp.c --- */

/* The DTLS part of the set; NULL without memory. */
struct reload_datagrams *reload_datagrams_of(struct reload_links *links);
/* Sends what the link's engine has. 0: all is with the kernel, EAGAIN: not now, or the errno of a
 * refusal by the far end's system. What cannot be sent for another reason is lost, as in any net.
 */
int reload_udp_send(struct reload_link *link);
/* Sends one datagram from a bare port, of which `local` is an address. False: not sent. */
bool reload_udp_answer(struct reload_udp_port *port, const struct reload_link_address *local,
                       const struct reload_link_address *far, struct reload_slice bytes);
/* To which of the port's addresses a message came. */
struct reload_link_address reload_udp_local_of(const struct reload_udp_port *port,
                                               struct msghdr *message);
/* Bytes of each datagram of a message but the last; SIZE_MAX: it is one datagram. */
size_t reload_udp_segment_of(struct msghdr *message);
/* Epoll is to tell when there is room to write. */
void reload_udp_set_blocked(struct reload_udp_port *port, bool blocked);
void reload_udp_free_port(struct reload_udp_port *port);
/* What ICMP said on a bare port. */
void reload_udp_read_errors(struct reload_udp_port *port);
bool reload_udp_is_refusal(int error);

/* --- demux.c --- */

struct reload_link **reload_udp_bucket(struct reload_datagrams *d,
                                       const struct reload_link_address *far);
/* The links with a far address on a bare port, in the order they began: the first after `after`. */
struct reload_link *reload_udp_link_after(struct reload_udp_port *port,
                                          const struct reload_link_address *far,
                                          reload_link_id after);
/* Ends the links on the same far address that began before this one, which is up now. */
void reload_udp_replace(struct reload_link *link);

/* --- channel.c --- */

/* Lends the next datagram that came over the channel; false when there is none. */
bool reload_channel_lend(struct reload_link *link);

#endif
