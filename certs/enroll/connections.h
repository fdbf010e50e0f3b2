#ifndef RELOAD_CERTS_ENROLL_CONNECTIONS_H
#define RELOAD_CERTS_ENROLL_CONNECTIONS_H

#include "certs/enroll/events.h"
#include "certs/enroll/limiter.h"

#include <stdbool.h>
#include <sys/socket.h>

/* The connections that are open, each with an absolute deadline: an idle time-out alone is survived
 * by a client that sends a byte now and then. A connection must show its whole header by
 * header_ms after it was accepted and be done by request_ms; else its socket is shut down, and the
 * HTTP library, seeing the end, cleans up. When all places are taken, or all of one address, the
 * connection that has been silent for longest gives way to a new one. Safe from any thread. */

struct reload_enroll_connection_limits {
    uint32_t total;       /* open at a time: 200 */
    uint32_t per_address; /* from one IPv4 address or IPv6 /64: 20 */
    uint32_t header_ms;   /* 10 s */
    uint32_t request_ms;  /* 30 s */
};

struct reload_enroll_connections;
struct reload_enroll_connection;

struct reload_enroll_connections *
reload_enroll_connections_new(const struct reload_enroll_connection_limits *limits,
                              struct reload_enroll_events *events);
void reload_enroll_connections_free(struct reload_enroll_connections *connections);

/* The address part of a socket address. */
struct reload_enroll_address reload_enroll_address_of(const struct sockaddr *address);
/* Its text for the log; returns text. */
const char *reload_enroll_address_text(const struct reload_enroll_address *address, char text[64]);

/* Whether one more connection from this address is allowed; may shut down another one of it. */
bool reload_enroll_connections_allow(struct reload_enroll_connections *connections,
                                     const struct reload_enroll_address *address);
/* Enters an accepted connection; may shut down another one. NULL when there is no place at all. */
struct reload_enroll_connection *
reload_enroll_connections_open(struct reload_enroll_connections *connections, int fd,
                               const struct reload_enroll_address *address);
/* Its header is complete. */
void reload_enroll_connections_header(struct reload_enroll_connections *connections,
                                      struct reload_enroll_connection *connection);
/* Its request is here: it gives way to no other until it is answered. */
void reload_enroll_connections_whole(struct reload_enroll_connections *connections,
                                     struct reload_enroll_connection *connection);
/* Takes it out; to be called before its descriptor is closed. */
void reload_enroll_connections_close(struct reload_enroll_connections *connections,
                                     struct reload_enroll_connection *connection);
const struct reload_enroll_address *
reload_enroll_connection_address(const struct reload_enroll_connection *connection);

/* Cuts those past their deadline and waits until the next one is due, at most max_ms. */
void reload_enroll_connections_watch(struct reload_enroll_connections *connections,
                                     uint32_t max_ms);
/* Ends a wait of another thread at once. */
void reload_enroll_connections_wake(struct reload_enroll_connections *connections);
uint32_t reload_enroll_connections_count(struct reload_enroll_connections *connections);

#endif
