#ifndef PEER_CONTROL_CLIENT_H
#define PEER_CONTROL_CLIENT_H

#include <jansson.h>

#include "certs/reason.h"

/* The other end of peer/control.h: one blocking connection, one request at a time. */

struct reload_control_client;

/* RELOAD_E_NOT_FOUND (no such socket), RELOAD_E_CLOSED (nobody listens on it), RELOAD_E_FORBIDDEN,
 * RELOAD_E_INVALID (path too long), RELOAD_E_IO. */
RELOAD_MUST_USE int reload_control_client_open(const char *path, struct reload_control_client **out,
                                               struct reload_cert_reason *reason);
void reload_control_client_close(struct reload_control_client *client); /* NULL is fine */

/* Sends a request (taken) without waiting. RELOAD_E_CLOSED. */
RELOAD_MUST_USE int reload_control_client_send(struct reload_control_client *client,
                                               json_t *request);
/* The next line: an answer or an event. *out is the caller's. timeout_ms -1: however long it takes.
 * RELOAD_E_CLOSED, RELOAD_E_TIMEOUT, RELOAD_E_DECODE. */
RELOAD_MUST_USE int reload_control_client_next(struct reload_control_client *client, int timeout_ms,
                                               json_t **out);
/* Both: the answer to this request. */
RELOAD_MUST_USE int reload_control_client_call(struct reload_control_client *client,
                                               json_t *request, json_t **out);
/* The descriptor that came with a line that has "descriptor": true; to be called for each such
 * line, in order. It is the caller's. -1: none came, for want of descriptors. */
int reload_control_client_descriptor(struct reload_control_client *client);

#endif
