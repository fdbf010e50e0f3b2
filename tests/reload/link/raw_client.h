#ifndef TESTS_RELOAD_LINK_RAW_CLIENT_H
#define TESTS_RELOAD_LINK_RAW_CLIENT_H

#include "net.h"

/* A DTLS engine on a UDP socket of its own, connected to a bare port: it can send what a link set
 * never would. */
struct raw_client {
    int fd;
    struct reload_engine_context *context;
    struct reload_engine *engine;
    int status;         /* of the handshake, then of reading */
    uint8_t last[2000]; /* datagram it sent last */
    size_t last_len;
    uint8_t got[4000]; /* what was decrypted */
    size_t got_len;
    size_t bytes_in, bytes_out; /* of datagrams */
};

/* A plain UDP socket on 127.0.0.1 that is connected to `to`, non-blocking. */
int raw_client_socket(const struct reload_link_address *to);
void raw_client_open(struct raw_client *client, struct identity *identity,
                     const struct reload_link_address *to);
/* Another engine, which begins anew; the one before is the caller's. */
void raw_client_engine(struct raw_client *client);
/* Takes what came, sends what there is to send, and turns the hosts. */
void raw_client_turn(struct raw_client *client);
bool raw_client_until_up(struct raw_client *client);
/* One record of application data, in a datagram of its own. */
void raw_client_write(struct raw_client *client, const void *p, size_t n);
void raw_client_close(struct raw_client *client);

#endif
