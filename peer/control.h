#ifndef PEER_CONTROL_H
#define PEER_CONTROL_H

#include "peer/phone.h"

/* The control socket of a running peer: a Unix stream socket, mode 0600, that only its owner's and
 * root's processes may use. One JSON object per line each way.
 *
 * A request is {"verb": V, "id": anything, ...}. Its answer repeats the id, in whatever order
 * requests end:
 *
 *   {"id": ..., "ok": true, ...}
 *   {"id": ..., "ok": false, "error": "a sentence", "code": C}
 *
 * with C one of "usage", "not_joined", "refused", "expired", "failure"; when another node answered
 * with an error of the RFC, also "error_code" and "error_name".
 *
 * Verbs:
 *
 *   status                        who, where, state, counters
 *   links                         the overlay links; "type" of "local" and "remote" is that of an
 *                                 ICE candidate, null without ICE
 *   doctor                        why this node is not reachable: "findings", each with a "cure"
 *   ring {"walk": bool}           predecessors, successors, fingers; with walk also all members,
 *                                 found by asking who is responsible for each id after the last one
 *   ping TARGET                   round trip, who answered, hops
 *   attach TARGET                 answered once there is a link to it
 *   trace TARGET                  the peers on the way, asked one after another by RouteQuery
 *   store PLACE VALUE             "value" (text) or "value_hex"; "lifetime" in s (86400)
 *   remove PLACE                  stores exists = false there
 *   fetch PLACE                   verified values
 *   stat PLACE                    sizes and digests
 *   find PLACE                    nearest stored Resource-ID
 *   sip_register                  this node takes the calls of its user (RFC 7904), or the node in
 *                                 "node"; "scheme": "sip" or "sips", "lifetime" in s
 *   sip_forward                   calls go to "uri" instead; "lifetime"
 *   sip_unregister                this node's registration is removed
 *   sip_lookup                    where "uri" can be reached; "anew": cached contacts have failed
 *   sip_gruu                      the URI of this very node
 *   sip_message                   "text" to the devices of the address "to"; "type": its media type
 *                                 (text/plain). The answer, good or bad, has the SIP "status"
 *   sip_call                      calls the address "to". "device": what to hear and speak with
 *                                 (pulse; see media/device.h), "recording": a path. The answer has
 *                                 the number of the "call"; events tell the rest. Paths are the
 *                                 peer's. "bound": true: it is hung up when this connection ends
 *   sip_answer                    takes the "call" that rings here, absent: the only one; "device",
 *                                 "recording", "bound"
 *   sip_decline                   refuses it: "status", 486 (busy), 603 (declined, the default) ...
 *   sip_hangup                    ends a "call" in any state; absent: the only one there is
 *   sip_hold                      "on": true or false
 *   sip_move                      media go over this machine's present addresses from now on
 *   sip_press                     "keys": DTMF
 *   sip_calls                     all "calls", with state, level and quality, and what was
 *                                 "refused", by reason
 *   connect                       a channel to "node" for "application": see below
 *   listen                        takes the channels that others open for "application"; with
 *                                 "once" the first alone
 *   subscribe                     events follow: {"event": "state" | "config" | "message" | ...};
 *                                 those of a call are "call" (its state), "call_media",
 *                                 "call_audio" (once: the first sound), "call_key",
 *                                 "call_recording" (it cannot be written any more), "call_refused"
 *                                 (a change), with its "call" and all that sip_calls tells of it.
 *                                 The last one has "status", "cause", a word of
 *                                 peer/phone_outcome.h, and "reason", the same in a sentence
 *   leave                         leaves the overlay; the program then ends
 *
 * TARGET is "node": HEX, or a resource as below. PLACE is "kind": id or name, and the resource, one
 * of
 *
 *   "resource": HEX               a Resource-ID
 *   "name": TEXT                  a Resource Name, hashed by the topology; "user" is the same
 *   "node": HEX ["i": N]          a Node-ID's bytes, for NODE-MATCH; with i for NODE-MULTIPLE
 *   nothing                       one's own, as the Kind's policy wants it: user name or Node-ID
 *
 * and "index" for an array (store: absent appends; fetch: absent is all), "key" (text) or "key_hex"
 * for a dictionary (store: absent is one's own Node-ID; fetch: absent is all), "generation".
 *
 * Channels of applications (peer/channel.h). The answer to connect, once the channel is up, and the
 * event {"event": "channel"} that a listening client gets for each one have a number "channel",
 * what is known of the far end, and "descriptor": true: with the first byte of that line comes a
 * descriptor (SCM_RIGHTS), the program's end of peer/pipe.h. When the channel has ended, the same
 * client gets {"event": "channel_closed", "channel": N, "ok": true | false, "reason": ...,
 * "bytes_in": ..., "bytes_out": ..., "dropped_datagrams": ...}. A client that goes away before it
 * has the answer breaks off connect, one that goes away listens no more; a channel lasts as long as
 * its descriptor is open somewhere.
 *
 * Limits, beyond which a client is told and dropped: see below. */

#define RELOAD_CONTROL_CLIENTS_MAX  64
#define RELOAD_CONTROL_LINE_MAX     (4u << 20)  /* bytes of a request */
#define RELOAD_CONTROL_OUTPUT_MAX   (16u << 20) /* bytes waiting for a client that does not read */
#define RELOAD_CONTROL_REQUESTS_MAX 1024        /* of one client under way */

struct reload_control;

struct reload_control_options {
    const char *path;
    struct reload_overlay *overlay;
    struct reload_sip_node *sip; /* on that overlay; freed after the control socket */
    struct reload_phone *phone;  /* its events are taken; NULL: the user has no SIP address */
    GMainContext *context;       /* of the overlay; NULL: the default one */
    const struct reload_log *log;
    void (*leave)(void *leave_context); /* a client asked to leave */
    void *leave_context;
};

/* RELOAD_E_IO, RELOAD_E_STATE (a running peer has this socket), RELOAD_E_INVALID (path too long).
 * A socket file that nobody listens on is replaced. */
RELOAD_MUST_USE int reload_control_new(const struct reload_control_options *options,
                                       struct reload_control **out,
                                       struct reload_cert_reason *reason);
/* Closes all clients and removes the socket file. To be called while the overlay still lives, and
 * before it is freed: answers of requests under way then go nowhere. NULL is fine. */
void reload_control_free(struct reload_control *control);

/* Tells subscribers; to be called from the overlay's events. */
void reload_control_state(struct reload_control *control, enum reload_topology_state state,
                          const char *text);
void reload_control_config(struct reload_control *control, const struct reload_config *config);

const char *reload_state_name(enum reload_topology_state state); /* "joined" */
const char *reload_role_name(enum reload_role role);             /* "peer" */

#endif
