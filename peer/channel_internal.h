#ifndef PEER_CHANNEL_INTERNAL_H
#define PEER_CHANNEL_INTERNAL_H

#include "peer/channel.h"
#include "reload/link/raw.h"
#include "reload/node/action.h"

/* Inside of the channels of an overlay object.
 *
 *   channel.c         the table, states, what an application calls
 *   channel_agree.c   what the node and ICE say: candidates, the agreement, who connects
 *   channel_events.c  what the links say, and how the application hears of it
 *
 *      own:       ASKING --the far end agrees--> OPENING --connection--> OPEN --> CLOSED
 *      incoming:                                 OPENING --connection--> OPEN --> CLOSED
 *
 *   CLOSED waits until the application has been told. An incoming one that never comes up is gone
 *   without a word. */

enum reload_channel_state {
    RELOAD_CHANNEL_ASKING,
    RELOAD_CHANNEL_OPENING,
    RELOAD_CHANNEL_OPEN,
    RELOAD_CHANNEL_CLOSED,
};

struct reload_channel {
    struct reload_overlay *overlay; /* NULL while `closed` is being told */
    uint64_t id;
    enum reload_channel_state state;
    uint64_t deadline_ms; /* of OPENING */
    uint64_t request;     /* ASKING */
    /* OPENING: one of these is how the connection comes about */
    reload_invitation_id invitation;
    uint32_t attach;     /* of ICE */
    reload_link_id link; /* being dialled, or open; 0: none */
    struct reload_channel_info info;
    GBytes *certificate;
    bool told_open; /* the application knows an incoming channel from then on */
    struct reload_channel_events events;
    void *context;
};

enum reload_channel_news {
    RELOAD_CHANNEL_NEWS_OPENED,
    RELOAD_CHANNEL_NEWS_RECEIVED,
    RELOAD_CHANNEL_NEWS_WRITABLE,
    RELOAD_CHANNEL_NEWS_ENDED,
    RELOAD_CHANNEL_NEWS_CLOSED,
};

struct reload_acceptor { /* of an application that is served */
    struct reload_channel_events events;
    void *context;
};

struct reload_channels {     /* of an overlay object */
    bool over;               /* the overlay object is being freed */
    GHashTable *all;         /* id -> struct reload_channel, which it owns */
    GHashTable *links;       /* link id -> struct reload_channel */
    GHashTable *acceptors;   /* Application-ID -> struct reload_acceptor */
    GHashTable *invitations; /* number of a GATHER -> reload_invitation_id, until it is agreed */
    GQueue gathered;         /* of struct reload_gathered: the node is yet to hear of */
    uint64_t last_id;
    struct reload_channel_stats stats;
};

/* --- channel.c --- */
void reload_channels_init(struct reload_overlay *overlay);
void reload_channels_fini(struct reload_overlay *overlay); /* tells all that it is over */
struct reload_channel *reload_channel_new(struct reload_overlay *overlay, uint16_t application);
struct reload_channel *reload_channel_find(const struct reload_overlay *overlay, uint64_t id);
void reload_channel_enter(struct reload_channel *channel, enum reload_channel_state state);
void reload_channel_set_link(struct reload_channel *channel, reload_link_id link); /* 0: none */
/* The end: releases what is under way; the application is to hear of it, if it knows the channel.
 */
void reload_channel_finish(struct reload_channel *channel, int error, uint16_t error_code,
                           const char *reason);
/* OPENING takes no longer than its time. */
void reload_channels_run(struct reload_overlay *overlay);
uint64_t reload_channels_deadline(const struct reload_overlay *overlay);

/* --- channel_agree.c --- */
/* GATHER for an application without ICE; the node hears of it by take_gathered(). */
void reload_channels_gather(struct reload_overlay *overlay,
                            const struct reload_action_gather *want);
void reload_channels_take_gathered(struct reload_overlay *overlay); /* the first of `gathered` */
void reload_channels_abandon(struct reload_overlay *overlay, uint32_t attach);
void reload_channels_agreed(struct reload_overlay *overlay,
                            const struct reload_action_app_channel *agreed);
/* REQUEST_DONE; false when the request is not a channel's. */
bool reload_channels_refused(struct reload_overlay *overlay, const struct reload_result *result);

/* --- channel_events.c --- */
void reload_channels_link_event(struct reload_overlay *overlay,
                                const struct reload_link_event *event);
/* The path that ICE uses now. */
void reload_channel_refresh_path(struct reload_channel *channel);
void reload_channel_tell_closed(struct reload_channel *channel, int error, uint16_t error_code,
                                const char *reason);

#endif
