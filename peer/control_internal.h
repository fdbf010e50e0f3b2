#ifndef PEER_CONTROL_INTERNAL_H
#define PEER_CONTROL_INTERNAL_H

#include <jansson.h>

#include "peer/control.h"

/* Inside of the control socket.
 *
 *   control.c        socket, clients, lines
 *   control_call.c   one request: from its verb to its answer
 *   control_info.c   status
 *   control_links.c  links
 *   control_doctor.c doctor
 *   control_ring.c   ring
 *   control_net.c    ping, attach, trace
 *   control_data.c   store, remove, fetch, stat, find
 *   control_sip.c    sip_register and its like
 *   control_channel.c  connect, listen
 *   control_output.c what waits for a client, descriptors too
 *   pipe.c           a channel joined to the descriptor that a client got
 *   control_phone.c  sip_message, and what the phone tells of messages
 *   control_talk.c   sip_call and its like
 *   control_talk_json.c  how a call looks, and what the phone tells of calls
 *   place.c          which resource, index or key a request means */

struct reload_control_call { /* a request under way; freed by answer or fail */
    struct reload_control *control;
    uint64_t client; /* may be gone when the answer is there */
    json_t *id;
    json_t *request;
    const char *verb;
    json_t *state; /* of a verb that takes several steps */
    unsigned steps;
    uint8_t at[RELOAD_NODE_ID_MAX]; /* ring, trace: how far they are */
};

/* as in the header, and as the program's exit codes */
enum reload_control_code {
    RELOAD_CONTROL_FAILURE = 1,
    RELOAD_CONTROL_USAGE = 2,
    RELOAD_CONTROL_NOT_JOINED = 3,
    RELOAD_CONTROL_REFUSED = 4,
    RELOAD_CONTROL_EXPIRED = 5,
};

/* Ends a call with {"ok": true} and the members of `body`, which is taken (NULL: none). */
void reload_control_answer(struct reload_control_call *call, json_t *body);
/* The same with a descriptor, taken. */
void reload_control_answer_descriptor(struct reload_control_call *call, json_t *body,
                                      int descriptor);
void reload_control_fail(struct reload_control_call *call, enum reload_control_code code,
                         const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with further members, which are taken. */
void reload_control_fail_with(struct reload_control_call *call, enum reload_control_code code,
                              json_t *body, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Ends a call whose request to the overlay could not be sent, or whose answer does not decode. */
void reload_control_fail_error(struct reload_control_call *call, int error);
/* Ends a call whose request ended with an error, or whose control socket is gone meanwhile: true
 * then. */
bool reload_control_failed(struct reload_control_call *call, const struct reload_result *result);

/* A line from a client becomes a call, runs, and answers now or later. */
void reload_control_run(struct reload_control *control, uint64_t client, const char *line,
                        size_t len);

typedef void reload_control_verb(struct reload_control_call *call);
reload_control_verb reload_control_status, reload_control_links, reload_control_ring,
    reload_control_ping, reload_control_attach, reload_control_trace, reload_control_store,
    reload_control_remove, reload_control_fetch, reload_control_stat, reload_control_find,
    reload_control_sip_register, reload_control_sip_forward, reload_control_sip_unregister,
    reload_control_sip_lookup, reload_control_sip_gruu, reload_control_sip_message,
    reload_control_sip_call, reload_control_sip_answer, reload_control_sip_decline,
    reload_control_sip_hangup, reload_control_sip_hold, reload_control_sip_move,
    reload_control_sip_press, reload_control_sip_calls, reload_control_connect,
    reload_control_accept, reload_control_doctor;

/* control.c */
struct reload_overlay *reload_control_overlay(const struct reload_control *control);
/* The configuration in force. */
const struct reload_config *reload_control_overlay_config(const struct reload_control *control);
struct reload_sip_node *reload_control_sip(const struct reload_control *control);
/* NULL: this node has none, and verbs by_phone are refused. */
struct reload_phone *reload_control_phone(const struct reload_control *control);
GMainContext *reload_control_context(const struct reload_control *control);
struct reload_control_channels *reload_control_channels(const struct reload_control *control);
GArray *reload_control_bound(const struct reload_control *control); /* of reload_control_bound */
void reload_control_send(struct reload_control *control, uint64_t client, json_t *line); /* takes */
/* The same with a descriptor (taken; -1: none) that the client gets along with the line. */
void reload_control_send_descriptor(struct reload_control *control, uint64_t client, json_t *line,
                                    int descriptor);
void reload_control_publish(struct reload_control *control, json_t *event); /* takes */
void reload_control_subscribe(struct reload_control *control, uint64_t client);
bool reload_control_begin_call(struct reload_control *control, struct reload_control_call *call);
void reload_control_end_call(struct reload_control *control, struct reload_control_call *call);
void reload_control_leave(struct reload_control *control);

/* The OverlayLinkType in words, RFC 6940 s6.5.1.1. */
const char *reload_control_protocol_name(uint8_t link_type);

/* control_channel.c: what a control socket has of channels. Freeing closes them all. */
struct reload_control_channels *reload_control_channels_new(struct reload_control *control);
void reload_control_channels_free(struct reload_control_channels *channels);
/* What the client waited for and served is over; what it has a descriptor of stays. */
void reload_control_channels_client_gone(struct reload_control_channels *channels, uint64_t client);

/* control_sip.c: a text of the request, or NULL. */
const char *reload_control_text(const struct reload_control_call *call, const char *key);

/* control_talk.c: calls that last no longer than the connection that asked for them. */
struct reload_control_bound {
    uint64_t client;
    uint32_t call;
};
void reload_control_talk_client_gone(struct reload_control *control, uint64_t client);

/* control_talk_json.c */
struct reload_phone_call_info;
json_t *reload_control_call_object(const struct reload_phone_call_info *info);
void reload_control_call_event(void *control, const struct reload_phone_call_event *event);

/* control_phone.c: takes the phone's events from now on. */
void reload_control_listen(struct reload_control *control);

#endif
