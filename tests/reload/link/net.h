#ifndef TESTS_RELOAD_LINK_NET_H
#define TESTS_RELOAD_LINK_NET_H

#include "pki.h"
#include "reload/link/engine.h"
#include "reload/link/links.h"

/* Link sets talking over loopback in one thread. Time is the real one plus `leap_ms`, so that a
 * test can jump over timeouts. */

extern uint64_t leap_ms;
struct reload_time net_now(void);

#define HOST_EVENTS 64

struct host { /* a link set and what it reported */
    struct reload_links *links;
    struct reload_link_address at;                          /* its listener on 127.0.0.1 */
    size_t count[RELOAD_LINK_EVENT_TYPES];                  /* events, by type */
    struct reload_link_event last[RELOAD_LINK_EVENT_TYPES]; /* without their slices and pointers */
    char reason[256];                                       /* of the last DOWN */
    struct reload_link_peer peer;                           /* of the last UP */
    uint8_t message[70000];                                 /* the last MESSAGE or OVERSIZE */
    size_t message_len;
    size_t bytes_len;     /* all BYTES together, of any link, the last of which is `message` */
    uint64_t bytes_hash;  /* bytes_hashed() of them */
    uint32_t next_number; /* messages are expected to be numbered from 0, if `numbered` */
    bool numbered, deaf;  /* deaf: is not run, as if it hung */
};

struct host_options {
    uint32_t max_message_size; /* 0: 5000 */
    uint16_t path_mtu;
    bool stop_and_wait;
    struct reload_links_limits limits;
    struct reload_pcap *pcap;
    const struct reload_log *log;
};

void host_open(struct host *host, struct identity *identity, const struct host_options *options);
void host_close(struct host *host);
/* Dials `to` and returns the link's id; expected may be NULL. */
reload_link_id host_dial(struct host *host, const struct reload_link_address *to,
                         const struct reload_node_id *expected);
/* Goes on with a hash over more bytes; begins with 0. */
uint64_t bytes_hashed(uint64_t hash, const uint8_t *p, size_t n);
struct reload_links_stats host_stats(struct host *host);
/* Of a link that there is. */
struct reload_link_info host_info(struct host *host, reload_link_id id);
int host_send(struct host *host, reload_link_id id, const void *p, size_t n);

/* The hosts that net_turn() runs; NULL ends the list. */
void net_hosts(struct host *a, struct host *b);
void net_turn(void);
/* Turns until condition(arg), for at most 20 s of real time; false when it did not come about. */
bool net_until(bool (*condition)(void *arg), void *arg);
/* The usual condition: the host has had `wanted` events of a type. */
bool net_events(struct host *host, enum reload_link_event_type type, size_t wanted);
void net_for_ms(unsigned ms);

/* A plain TCP connection, non-blocking. */
int net_connect(const struct reload_link_address *to);
/* The same with a receive buffer of so many bytes, so that one who does not read is soon felt. */
int net_connect_with(const struct reload_link_address *to, int receive_buffer);

struct raw { /* one TLS engine on a socket: it can send what a link set never would */
    int fd;
    struct reload_engine_context *context;
    struct reload_engine *engine;
    int status; /* of the handshake, then of reading */
    bool up, ended;
    uint8_t got[70000];
    size_t got_len;
};

void raw_open(struct raw *raw, struct identity *identity, const struct reload_link_address *to);
void raw_open_on(struct raw *raw, struct identity *identity, int fd); /* a connection of its own */
/* The same, before its first byte: raw_turn() sends that. */
void raw_prepare(struct raw *raw, struct identity *identity, int fd);
void raw_turn(struct raw *raw);
bool raw_until_up(struct raw *raw);
void raw_write(struct raw *raw, const void *p, size_t n);
void raw_close(struct raw *raw);

#endif
