#ifndef TESTS_RELOAD_LINK_FORGE_H
#define TESTS_RELOAD_LINK_FORGE_H

#include "raw_client.h"

/* DTLS 1.2 records made by hand (RFC 6347 s4.1), of any content type: in the clear, as anybody on
 * the way could send them, or sealed with the keys of a client that is up, as only a node with a
 * certificate can. */

#define FORGE_RECORD_MAX 1400 /* bytes of a record, all of it */

enum { /* content types */
       FORGE_CHANGE_CIPHER_SPEC = 20,
       FORGE_ALERT = 21,
       FORGE_HANDSHAKE = 22,
       FORGE_APPLICATION_DATA = 23,
       FORGE_HEARTBEAT = 24,
};

struct forge {
    struct raw_client *client;
    const EVP_CIPHER *cipher; /* AES-GCM, RFC 5288 */
    uint8_t key[32], salt[4]; /* of the client's direction */
    uint64_t sequence;        /* of the next sealed record */
};

/* The client is up. Its own engine sends nothing more: its sequence numbers would be old ones. */
void forge_init(struct forge *forge, struct raw_client *client);
/* Sends one sealed record of epoch 1. */
void forge_sealed(struct forge *forge, uint8_t type, const void *p, size_t n);
/* Sends one in the clear, from the client's socket. */
void forge_plain(const struct raw_client *client, uint8_t type, uint16_t epoch, uint64_t sequence,
                 const void *p, size_t n);

#endif
