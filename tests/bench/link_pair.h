#ifndef RELOAD_TESTS_BENCH_LINK_PAIR_H
#define RELOAD_TESTS_BENCH_LINK_PAIR_H

#include "certs/context.h"
#include "overlay_files.h"
#include "reload/link/datagram.h"

/* Two link sets in one thread and one link between them, with real certificates. */

enum bench_link_kind {
    BENCH_LINK_TLS,
    BENCH_LINK_STOP_AND_WAIT, /* DTLS, as RFC 6940 s6.6.3.1 describes */
    BENCH_LINK_WINDOW,        /* DTLS with a congestion window */
    BENCH_LINK_KINDS,
};

extern const char *const bench_link_kinds[BENCH_LINK_KINDS]; /* their names in the output */

struct bench_party { /* a certificate, checked by the overlay's document */
    struct reload_config *config;
    struct reload_cert_identity *identity;
    struct reload_cert_context *certs;
};

void bench_party_open(struct bench_party *party, const struct bench_files *files,
                      const struct bench_identity_files *own);
void bench_party_close(struct bench_party *party);

struct bench_link_pair {
    struct reload_links *near, *far; /* the near one dials */
    struct reload_link_address at;   /* of the far one; its port also stands for `dialled` */
    enum bench_link_kind kind;
    reload_link_id link;
    unsigned up;                                                  /* ends that are */
    void (*received)(void *context, struct reload_slice message); /* at the far end; may be NULL */
    void *context;
};

/* Opens both sets; the far one listens on `listen`. */
void bench_link_pair_open(struct bench_link_pair *pair, enum bench_link_kind kind,
                          struct bench_party parties[2], const char *listen);
/* Opens a link to the far end's port at the address `dial` and waits until both ends are up. */
void bench_link_pair_connect(struct bench_link_pair *pair, const char *dial);
/* Sends as the link takes it: false when its queue is full. */
bool bench_link_pair_send(struct bench_link_pair *pair, struct reload_slice message);
/* One round of both ends; waits at most until until_ns for something to happen. */
void bench_link_pair_turn(struct bench_link_pair *pair, uint64_t until_ns);
/* Closes the link at once, without waiting for the far end. */
void bench_link_pair_close(struct bench_link_pair *pair);

#endif
