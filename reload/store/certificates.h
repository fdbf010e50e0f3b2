#ifndef RELOAD_STORE_CERTIFICATES_H
#define RELOAD_STORE_CERTIFICATES_H

#include "reload/store/tree.h"
#include "reload/wire/cursor.h"

/* The certificates that verify what is stored: a storing peer keeps them (RFC 6940 s6.3.4). Each is
 * there once, and as long as a value needs it. */

struct reload_held_certificate {
    struct reload_tree_node node; /* key: the DER */
    size_t users;
    struct reload_slice issuers; /* a bucket's bytes: what others need to check it */
    size_t len;
    uint8_t bytes[]; /* the DER, and then the issuers' */
};

struct reload_certificates {
    struct reload_tree tree;
    size_t bytes;
};

/* The certificate with these bytes, for one more user; the issuers are those of the first. NULL
 * when there is no memory. */
struct reload_held_certificate *reload_certificates_hold(struct reload_certificates *certificates,
                                                         struct reload_slice der,
                                                         struct reload_slice issuers);
/* Appends it and its issuers to a bucket that begins at `start`, each unless it is there. */
void reload_certificates_write(const struct reload_held_certificate *certificate,
                               struct reload_writer *bucket, size_t start);
void reload_certificates_release(struct reload_certificates *certificates,
                                 struct reload_held_certificate *certificate);

#endif
