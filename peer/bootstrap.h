#ifndef PEER_BOOTSTRAP_H
#define PEER_BOOTSTRAP_H

#include <glib.h>

#include "reload/config/config.h"
#include "reload/link/address.h"
#include "reload/random.h"

/* Which nodes to try for a first link (RFC 6940 s11.4): peers this node was linked to before, then
 * the configuration's bootstrap nodes and those of the command line, each group in random order. A
 * round that reached nobody is followed by a pause, doubling from 1 s to 60 s. No I/O but the cache
 * file. */

#define RELOAD_BOOTSTRAP_CACHE_MAX    10 /* s11.4: on the order of 10 */
#define RELOAD_BOOTSTRAP_PAUSE_MS     1000
#define RELOAD_BOOTSTRAP_PAUSE_MAX    60000
#define RELOAD_BOOTSTRAP_FAILURES_MAX 8 /* remembered; the oldest goes */

struct reload_bootstrap_failure { /* the last attempt at an address */
    struct reload_link_address address;
    bool udp;
    int error; /* RELOAD_E_... */
    char reason[160];
};

struct reload_bootstrap {
    GArray *cache; /* of struct reload_link_address, latest first; directly connected ones only */
    GArray *fixed; /* given by the caller, besides the configuration's */
    GArray *own;   /* where this node listens: never tried */
    GArray *round; /* left to try */
    char *path;    /* of the cache file, or NULL */
    bool cache_changed;
    unsigned failed_rounds;
    uint64_t not_before_ms; /* monotonic: the pause ends */
    /* since a node was last reached, the latest last */
    struct reload_bootstrap_failure failures[RELOAD_BOOTSTRAP_FAILURES_MAX];
    size_t failure_count;
    char unjoined[160]; /* a node was reached, but did not lead in: the latest reason, or empty */
    const struct reload_random *random;
};

/* cache_path: NULL for none. A file that cannot be read is an empty cache. */
void reload_bootstrap_init(struct reload_bootstrap *b, const char *cache_path,
                           const struct reload_random *random);
void reload_bootstrap_fini(struct reload_bootstrap *b); /* saves the cache */
void reload_bootstrap_save(struct reload_bootstrap *b); /* when it has changed */

/* Fills the list for a new round; returns how many there are to try. */
size_t reload_bootstrap_begin(struct reload_bootstrap *b, const struct reload_config *config);
/* Takes the next address of the round; false at its end. */
bool reload_bootstrap_next(struct reload_bootstrap *b, struct reload_link_address *out);
/* Why there is no link to that address. */
void reload_bootstrap_failed(struct reload_bootstrap *b, const struct reload_link_address *address,
                             bool udp, int error, const char *reason);
/* How the round ended. */
void reload_bootstrap_reached(struct reload_bootstrap *b);
void reload_bootstrap_missed(struct reload_bootstrap *b, uint64_t now_ms);

/* This node dialled that address and routes through the peer there. */
void reload_bootstrap_remember(struct reload_bootstrap *b,
                               const struct reload_link_address *address);

#endif
