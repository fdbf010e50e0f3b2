#ifndef PEER_PHONE_INTERNAL_H
#define PEER_PHONE_INTERNAL_H

#include "peer/channel.h"
#include "peer/phone.h"

/* Inside of the phone.
 *
 *   phone.c           life, time, what the agent wants, messages
 *   phone_channel.c   channels of AppAttach
 *   phone_lookup.c    lookups */

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
};

/* phone.c: after every call into the agent. Does what it wants and sets the timer. */
void reload_phone_settle(struct reload_phone *phone);

/* phone_channel.c */
RELOAD_MUST_USE int reload_phone_serve(struct reload_phone *phone);
void reload_phone_open_channel(struct reload_phone *phone, const struct reload_sip_action *action);
void reload_phone_send(struct reload_phone *phone, const struct reload_sip_action *action);
void reload_phone_close_channel(struct reload_phone *phone, uint32_t number);
void reload_phone_channels_fini(struct reload_phone *phone);

/* phone_lookup.c */
void reload_phone_look_up(struct reload_phone *phone, const struct reload_sip_action *action);
void reload_phone_lookups_fini(struct reload_phone *phone);

#endif
