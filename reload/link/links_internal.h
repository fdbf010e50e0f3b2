#ifndef RELOAD_LINK_LINKS_INTERNAL_H
#define RELOAD_LINK_LINKS_INTERNAL_H

#include <sys/queue.h>

#include "reload/frame/receiver.h"
#include "reload/frame/sender.h"
#include "reload/frame/stream.h"
#include "reload/link/engine.h"
#include "reload/link/links.h"
#include "reload/link/raw.h"

/* What the files of the link set share; nobody else includes this.
 *
 *   links.c     the set: process(), next(), timers, queues
 *   listen.c    listeners and accepting
 *   dial.c      TCP connection attempts
 *   life.c      the states of one link
 *   traffic.c   bytes in: handshake, decryption, frames
 *   output.c    bytes out: queueing, acks, encryption, back-pressure
 *   raw.c       connections of applications: what they do instead of frames
 *   invitation.c  ports that wait for one of them
 *   stats.c     counters and descriptions
 *
 * DTLS links have files of their own: see datagram_internal.h. */

#define RELOAD_LINK_LISTENERS_MAX 8
#define RELOAD_LINK_ALL_LISTENERS (RELOAD_LINK_LISTENERS_MAX + RELOAD_LINK_DOORS_MAX)
#define RELOAD_LINK_BUCKETS       256
#define RELOAD_LINK_READ_LEN      (32 * 1024)  /* one recv() */
#define RELOAD_LINK_READ_BUDGET   (256 * 1024) /* bytes of one link in one round */
#define RELOAD_LINK_RAW_BUDGET    (64 * 1024)  /* the same, of an application */
#define RELOAD_LINK_FLUSH_LEN     (64 * 1024)  /* this much queued is written in mid-round */
#define RELOAD_LINK_REASON        200
#define RELOAD_LINK_LOG_LINES     10 /* about strangers, in a second */

/*                    dial                      accept
 *                     |                          |
 *                 CONNECTING --------------> HANDSHAKING ------> CONFIRMING
 *                     ^                       |        |            |
 *                     |  next address         |        |  (server,  v
 *                     +-----------------------+        |  TLS 1.2)
 *                                                      +---------> UP ----> OVERSIZE
 *                                                                   |          |
 *        any state -- closed with something to tell --> LINGERING <-+----------+
 *        any state -- nothing to tell, or drained ----> DEAD                              */
enum reload_link_state {
    RELOAD_LINK_CONNECTING,  /* TCP */
    RELOAD_LINK_HANDSHAKING, /* TLS */
    RELOAD_LINK_CONFIRMING,  /* TLS 1.3 client: not certain yet that the server accepted us */
    RELOAD_LINK_RUNNING,     /* up */
    RELOAD_LINK_OVERSIZED,   /* up, but nothing more is read */
    RELOAD_LINK_LINGERING,   /* over for the owner: the last bytes leave */
    RELOAD_LINK_DEAD,        /* freed at the next safe moment */
};

struct reload_link_dial { /* what an outbound link still may try */
    struct reload_link_address addresses[RELOAD_LINK_DIAL_MAX];
    size_t count, next;
    struct reload_node_id expected; /* len 0: anyone */
};

struct reload_link_raw { /* the part of a link that only an application's has */
    reload_invitation_id invitation;
    struct reload_udp_port *door; /* by which it came in, and which is its own */
    bool paused;
    bool starved;       /* a send was refused */
    bool ending, ended; /* this end's direction: wanted; the close_notify is with the engine */
    bool far_ended, told_far_ended;
};

struct reload_link_invitation {
    reload_invitation_id id;
    struct reload_node_id expected; /* len 0: not known yet */
    uint64_t deadline_ms;
    bool expired; /* yet to be told */
    TAILQ_ENTRY(reload_link_invitation) in_all;
};

TAILQ_HEAD(reload_invitation_list, reload_link_invitation);

struct reload_link {
    struct reload_links *set;
    reload_link_id id;
    uint8_t type; /* OverlayLinkType */
    enum reload_link_state state;
    uint64_t deadline_ms; /* of the state */

    int fd;             /* -1: none */
    uint32_t interest;  /* what epoll watches */
    uint32_t ready;     /* what epoll saw in this round */
    uint32_t budget;    /* bytes it may still read in this round */
    bool drained;       /* the socket had no more when last read */
    size_t tls_answers; /* bytes of TLS's own since output waits */
    bool sending_ended; /* LINGERING: our half of TCP is closed */
    enum reload_link_role role;
    bool inbound;
    struct reload_link_address far, local; /* local only for the capture file */
    struct reload_link_dial *dial;         /* NULL once up, and on inbound links */

    struct reload_engine *engine;
    struct reload_datagram_link *dtls; /* NULL: TLS, or no attempt is being made */
    bool returns; /* when it is dead, what was not acknowledged is the owner's again */
    struct reload_reliable *undelivered; /* of a link that failed: what it was to send */
    struct reload_link_raw *raw;         /* NULL: an overlay link */
    struct reload_frame_stream stream;   /* TLS only, and so is the sender */
    struct reload_frame_sender sender;
    struct reload_frame_receiver receiver;

    struct reload_buffer queue;   /* frames not yet encrypted */
    uint32_t queued_messages;     /* in queue, or encrypted and not yet with the kernel */
    struct reload_frame owed_ack; /* while output is blocked one ack is kept back: its mask
                                     covers those before it, and memory stays bounded */
    uint32_t owed_since;          /* the first frame that the owed ack stands for */
    bool ack_is_owed;

    bool told_up, told_suspect, over, told_over, evicted;
    int error;
    char reason[RELOAD_LINK_REASON];
    struct reload_link_counters counters;

    struct reload_link *bucket_next;
    bool is_ready, is_dirty, is_noted;
    TAILQ_ENTRY(reload_link) in_all, in_ready, in_dirty, in_noted;
};

TAILQ_HEAD(reload_link_queue, reload_link);

struct reload_link_listener {
    int fd; /* -1: unused */
    enum reload_link_role role;
    reload_invitation_id invitation; /* 0: for overlay links */
    bool paused;                     /* no descriptors: looked at again at resume_ms */
    uint64_t resume_ms;
};

struct reload_links {
    struct reload_links_config config;
    struct reload_engine_context *engines;
    struct reload_datagrams *datagrams; /* NULL before the first DTLS link or port */
    int epoll_fd;
    int spare_fd; /* given up for a moment to refuse a connection when descriptors run out */
    struct reload_time now; /* of the round */
    /* First those for overlay links, then those of invitations. */
    struct reload_link_listener listeners[RELOAD_LINK_ALL_LISTENERS];
    struct reload_invitation_list invitations;
    reload_invitation_id last_invitation;
    uint32_t expired; /* invitations to tell of */

    struct reload_link *buckets[RELOAD_LINK_BUCKETS]; /* by id */
    reload_link_id last_id;
    uint32_t count;       /* links that are not dead */
    bool deadlines_due;   /* in this round, once all is read */
    uint64_t earliest_ms; /* no deadline of any link comes before it */
    struct reload_link_queue all;
    struct reload_link_queue ready; /* something to read, or a connection made */
    struct reload_link_queue dirty; /* something to write */
    struct reload_link_queue noted; /* something to tell the owner; also the dead */

    uint8_t *cipher, *plain;          /* RELOAD_LINK_READ_LEN each, shared by all links */
    struct reload_link *reading;      /* whose plaintext that is */
    struct reload_slice unread;       /* what is left of it */
    struct reload_buffer certificate; /* of the last UP event */

    struct reload_links_stats stats;
    uint64_t log_second; /* rate limit of lines about strangers */
    uint32_t log_lines;
};

/* links.c */
struct reload_link *reload_links_find(const struct reload_links *links, reload_link_id id);
/* A link without a socket. NULL when a limit or memory is exhausted; *error tells. */
struct reload_link *reload_link_new(struct reload_links *links, bool raw, int *error);
void reload_link_mark_ready(struct reload_link *link);
void reload_link_mark_dirty(struct reload_link *link);
void reload_link_note(struct reload_link *link); /* its owner is to be told something */
/* A deadline of the link may be earlier than before. */
void reload_link_rearm(struct reload_link *link);

/* life.c */
void reload_link_enter(struct reload_link *link, enum reload_link_state state);
bool reload_link_is_up(const struct reload_link *link); /* RUNNING or OVERSIZED */
/* Who the far end must be; NULL: anyone. */
const struct reload_node_id *reload_link_expected(const struct reload_link *link);
/* TCP stands: begins TLS. */
void reload_link_secure(struct reload_link *link, int fd);
void reload_link_evict(struct reload_link *link); /* a handshake: another needs its place */
/* The link, or the present attempt to dial it, failed. */
void reload_link_fail(struct reload_link *link, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The owner ends it, or the far end did in order: error 0. */
void reload_link_end(struct reload_link *link, const char *reason);
/* Both directions have ended, and all is with the engine. */
void reload_link_complete(struct reload_link *link, const char *reason);
void reload_link_tick(struct reload_link *link);
uint64_t reload_link_deadline(const struct reload_link *link);
/* Bits of epoll that matter now. */
void reload_link_watch(struct reload_link *link);

/* dial.c */
/* Starts a connection to the next address; false when none is left. */
bool reload_link_try_next(struct reload_link *link);
void reload_link_connected(struct reload_link *link); /* epoll says so */

/* listen.c */
void reload_links_accept(struct reload_links *links, struct reload_link_listener *listener);
uint64_t reload_links_resume_listeners(struct reload_links *links); /* next wanted time */

/* traffic.c */
enum reload_link_step {
    RELOAD_STEP_AGAIN,   /* call again */
    RELOAD_STEP_DONE,    /* nothing more in this round */
    RELOAD_STEP_MESSAGE, /* *event is filled in */
};
enum reload_link_step reload_link_step(struct reload_link *link, struct reload_link_event *event);
/* A frame came: counts and captures it. A message that is not fresh was reported before. */
void reload_link_frame_in(struct reload_link *link, const struct reload_frame *frame, bool fresh);
enum reload_link_step reload_link_tell_message(struct reload_link *link,
                                               const struct reload_frame *frame,
                                               struct reload_link_event *event);
/* A message above max_message_size: frame holds its beginning. */
enum reload_link_step reload_link_oversize(struct reload_link *link,
                                           const struct reload_frame *frame,
                                           struct reload_link_event *event);
enum reload_link_step reload_link_engine_failed(struct reload_link *link, int error);

/* output.c */
void reload_link_queue_ack(struct reload_link *link, const struct reload_frame *ack);
void reload_link_flush(struct reload_link *link);
/* Writes what the engine has, without its queue; true when all of it is with the kernel. */
bool reload_link_push(struct reload_link *link);

/* listen.c: room for an inbound link from this address, which may cost another its handshake. From
 * `crowded` handshakes on, one address gets no further one, only another one. NULL, or the counter
 * of the limit that is in the way. */
uint64_t *reload_links_make_room(struct reload_links *links, const struct reload_link_address *far,
                                 uint32_t crowded);
/* The first free listener from index `from` on opens for an invitation, or for overlay links (0).
 * Those of invitations are not watched. Errors as reload_links_listen(). */
int reload_links_open_listener(struct reload_links *links, size_t from, size_t count,
                               const struct reload_link_address *address,
                               struct reload_link_listener with,
                               struct reload_link_address *actual);
int reload_links_watch_listener(struct reload_links *links, size_t index); /* -1: errno */

/* raw.c */
/* Tells what is unread. */
enum reload_link_step reload_raw_bytes(struct reload_link *link, struct reload_link_event *event);
/* The far end reset the connection while nothing was read from it. After it has ended its bytes
 * that is its close; before that the link fails, once the owner has read what arrived. */
bool reload_raw_is_cut(struct reload_link *link);
/* LINGERING is over: the descriptor is about to be closed. */
void reload_raw_reset(const struct reload_link *link);
/* What one record of a datagram channel held. */
enum reload_link_step reload_raw_datagram(struct reload_link *link, struct reload_slice datagram,
                                          struct reload_link_event *event);
bool reload_raw_is_deaf(const struct reload_link *link); /* reads nothing now */
void reload_raw_far_ended(struct reload_link *link);
void reload_raw_flushed(struct reload_link *link); /* what was queued is with the engine */
void reload_raw_describe(struct reload_link *link, struct reload_link_event *event); /* its UP */
/* What there is to tell of one that is up; false: nothing. */
bool reload_raw_tell(struct reload_link *link, struct reload_link_event *event);

/* invitation.c */
struct reload_link_invitation *reload_invitation_find(const struct reload_links *links,
                                                      reload_invitation_id id);
/* One more knocks: others may have to go. */
void reload_invitation_knock(struct reload_links *links, reload_invitation_id id);
/* Its guest is up: the others go, and so do the ports. */
void reload_invitation_taken(struct reload_link *link);
uint64_t reload_invitations_tick(struct reload_links *links); /* next wanted time */
bool reload_invitations_tell(struct reload_links *links, struct reload_link_event *event);
void reload_invitations_free(struct reload_links *links);

/* datagram.c and the other files of datagram_internal.h: for links with a DTLS part */
enum reload_link_step reload_datagram_step(struct reload_link *link,
                                           struct reload_link_event *event);
int reload_datagram_send(struct reload_link *link, const struct reload_slice *parts, size_t count,
                         size_t len);
void reload_datagram_flush(struct reload_link *link);
void reload_datagram_tick(struct reload_link *link);
uint64_t reload_datagram_deadline(const struct reload_link *link);
void reload_datagram_release(struct reload_link *link); /* frees it and its own socket */
/* What the far end did not acknowledge outlives the connection, in `undelivered`. */
void reload_datagram_keep_undelivered(struct reload_link *link);
bool reload_datagram_push(struct reload_link *link);
bool reload_datagram_dial(struct reload_link *link); /* a handshake with link->far; false: errno */
/* Room of an invitation for datagrams: opening a port, unwatched; watching all; closing all but the
 * one that `guest` came in by, which is then its own (NULL: all). */
int reload_datagrams_open_door(struct reload_links *links, reload_invitation_id id,
                               const struct reload_link_address *address,
                               struct reload_link_address *actual);
int reload_datagrams_watch_doors(struct reload_links *links, reload_invitation_id id);
void reload_udp_close_door(struct reload_udp_port *door); /* ends what is left of others there */
void reload_datagrams_close_doors(struct reload_links *links, reload_invitation_id id,
                                  struct reload_link *guest);
bool reload_channel_tell(struct reload_link *link, struct reload_link_event *event);
bool reload_idle_tell(struct reload_link *link, struct reload_link_event *event);
bool reload_narrow_tell(struct reload_link *link, struct reload_link_event *event);
void reload_datagram_describe(const struct reload_link *link, struct reload_link_info *info);
uint32_t reload_datagram_mtu(const struct reload_link *link);
bool reload_datagram_is_suspect(const struct reload_link *link);
/* What sockets have received: as reload_link_step(). */
enum reload_link_step reload_datagrams_step(struct reload_links *links,
                                            struct reload_link_event *event);
/* Epoll speaks of a UDP socket; false: of something else. */
bool reload_datagrams_ready(struct reload_links *links, uint64_t key, uint32_t events);
bool reload_datagrams_are_waiting(const struct reload_links *links);
void reload_datagrams_free(struct reload_links *links);

/* stats.c */
void reload_link_learn_local(struct reload_link *link);
bool reload_link_is_suspect(const struct reload_link *link);
void reload_link_capture(struct reload_link *link, bool sent, const struct reload_slice *parts,
                         size_t count);
socklen_t reload_link_to_sockaddr(const struct reload_link_address *address,
                                  void *sockaddr_storage);
void reload_link_from_sockaddr(const void *sockaddr_storage, struct reload_link_address *out);
/* A line about a link that nobody here asked for: at most RELOAD_LINK_LOG_LINES in a second. */
void reload_links_log_stranger(struct reload_links *links, const struct reload_link_address *far,
                               const char *what);

#endif
