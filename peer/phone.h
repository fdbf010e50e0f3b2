#ifndef PEER_PHONE_H
#define PEER_PHONE_H

#include "peer/sip_node.h"
#include "usage-sip/agent.h"

/* The SIP user agent of an overlay object (RFC 7904 s5): usage-sip/agent.h joined to channels of
 * AppAttach, to lookups and to time. Who a far end is, its certificate says.
 *
 * Used from the overlay's thread. Callbacks come from its loop or from inside of a call here, and
 * may call anything here but reload_phone_free(); what they are given is good until they do. */

struct reload_phone;

struct reload_phone_message { /* a text that came in (RFC 3428) */
    const char *from;         /* the certificate's user name */
    struct reload_node_id node_id;
    const char *content_type;
    struct reload_slice text; /* as the type says */
};

struct reload_phone_call_event; /* peer/phone_call.h */

struct reload_phone_events { /* each may be NULL */
    void (*message)(void *context, const struct reload_phone_message *message);
    void (*call)(void *context, const struct reload_phone_call_event *event);
};

/* context: of the overlay; NULL: the default one. RELOAD_E_UNSUPPORTED: the own user name is no
 * address of record; RELOAD_E_STATE: another one serves SIP on this overlay; RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_phone_new(struct reload_overlay *overlay, struct reload_sip_node *node,
                                     GMainContext *context, const struct reload_log *log,
                                     struct reload_phone **out);
/* While overlay and node still live. What is under way ends with status 503. NULL is fine. */
void reload_phone_free(struct reload_phone *phone);
void reload_phone_set_events(struct reload_phone *phone, const struct reload_phone_events *events,
                             void *context); /* NULL: none; copied */

/* How a message ended: a SIP status. 200: a device of the address has it; 404: nobody is
 * registered; 480: the overlay did not answer; 408, 503: no device could be reached. */
typedef void reload_phone_done(void *context, int status);
/* Errors of reload_sip_agent_message(), and then `done` does not come; else it does once, maybe
 * before this returns. content_type NULL: text/plain in UTF-8. */
RELOAD_MUST_USE int reload_phone_message(struct reload_phone *phone, const char *to,
                                         const char *content_type, struct reload_slice text,
                                         reload_phone_done *done, void *done_context);

const struct reload_sip_agent *reload_phone_agent(const struct reload_phone *phone);

#endif
