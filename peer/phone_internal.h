#ifndef PEER_PHONE_INTERNAL_H
#define PEER_PHONE_INTERNAL_H

#include "peer/channel.h"
#include "peer/phone.h"
#include "peer/phone_media.h"

/* Inside of the phone.
 *
 *   phone.c           life, time, what the agent wants, messages
 *   phone_channel.c   channels of AppAttach
 *   phone_lookup.c    lookups
 *   phone_call.c      calls
 *   phone_outcome.c   what their ends mean
 *   phone_media.c     a call's media: session, device, paths
 *   phone_path.c      the way of its datagrams */

struct reload_phone {
    struct reload_overlay *overlay;
    struct reload_sip_node *node;
    GMainContext *context;
    const struct reload_log *log;
    struct reload_phone_events events;
    void *events_context;
    struct reload_sip_agent *agent;
    bool acting; /* the agent's actions are being done: no second time inside */
    GSource *timer;
    size_t served;        /* Application-IDs */
    GHashTable *channels; /* the agent's number -> struct reload_phone_channel, which it owns */
    GHashTable *lookups;  /* set of struct reload_phone_lookup under way, which may outlive it */
    GHashTable *errands;  /* the agent's number -> struct reload_phone_errand, which it owns */
    GHashTable *calls;    /* number -> struct reload_phone_call, which it owns */
    uint32_t last_call;
    struct reload_phone_studio *studio;
    char *answering; /* the device that answers all calls, or NULL */
};

/* phone.c: after every call into the agent. Does what it wants and sets the timer. */
void reload_phone_settle(struct reload_phone *phone);

/* phone_channel.c */
RELOAD_MUST_USE int reload_phone_serve(struct reload_phone *phone);
void reload_phone_open_channel(struct reload_phone *phone, const struct reload_sip_action *action);
void reload_phone_send(struct reload_phone *phone, const struct reload_sip_action *action);
void reload_phone_close_channel(struct reload_phone *phone, uint32_t number);
void reload_phone_channels_fini(struct reload_phone *phone);

/* phone_call.c */
RELOAD_MUST_USE int reload_phone_calls_init(struct reload_phone *phone);
void reload_phone_call_act(struct reload_phone *phone, const struct reload_sip_action *action);
void reload_phone_calls_fini(struct reload_phone *phone);

/* phone_lookup.c */
void reload_phone_look_up(struct reload_phone *phone, const struct reload_sip_action *action);
void reload_phone_lookups_fini(struct reload_phone *phone);

#endif
