#ifndef PEER_VERBS_REFETCH_H
#define PEER_VERBS_REFETCH_H

#include "peer/overlay.h"

/* Fetches the configuration document anew before it expires, at a random moment (RFC 6940 s11.1).
 * The exchange runs in a thread of its own; what it brings goes to the overlay, which verifies it
 * like a ConfigUpdate. */

#define RELOAD_REFETCH_AGAIN_S 3600 /* after a failure, or when there was nothing newer */

struct reload_refetch;

struct reload_refetch_options { /* strings are copied */
    struct reload_overlay *overlay;
    const char *source;  /* URL or overlay name; NULL: the overlay's own name, by DNS */
    const char *ca_file; /* of the HTTPS server; NULL: the system's */
    const struct reload_log *log;
};

/* Without an expiration in the document there is just nothing to do. */
struct reload_refetch *reload_refetch_new(const struct reload_refetch_options *options);
/* A newer configuration is in force. */
void reload_refetch_configured(struct reload_refetch *refetch);
/* Does not wait for an exchange under way; its outcome is dropped. NULL is fine. */
void reload_refetch_free(struct reload_refetch *refetch);

#endif
