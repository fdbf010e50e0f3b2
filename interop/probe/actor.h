#ifndef INTEROP_PROBE_ACTOR_H
#define INTEROP_PROBE_ACTOR_H

#include "interop/probe/link.h"
#include "interop/probe/world.h"
#include "reload/link/cookie.h"

/* A node that the probe plays: an identity, its links and its listener. */

#define PROBE_LINKS_MAX 24   /* of one actor in one case */
#define PROBE_BRIEF_MS  6000 /* a certificate says whole seconds */

struct probe_actor {
    char name[24];
    struct probe_world *world;
    struct reload_node_id wanted;          /* of PROBE_ACTOR_AT */
    struct reload_cert_identity *identity; /* NULL: the world's own */
    struct reload_cert_context *certs;
    struct reload_engine_context *engines;
    struct probe_link *links[PROBE_LINKS_MAX];
    size_t link_count;
    int listener; /* -1: none */
    struct reload_link_address local;
    struct reload_cookie_jar *jar;
    void (*message)(void *context, struct probe_link *link, struct reload_slice bytes);
    void *context; /* of message() */
};

/* Which certificate an actor has. */
enum probe_kind_of_actor {
    PROBE_ACTOR_OWN,       /* --cert */
    PROBE_ACTOR_FRESH,     /* issued by the authority for this case; needs --authority */
    PROBE_ACTOR_EXPIRED,   /* the same, its validity over */
    PROBE_ACTOR_BRIEF,     /* the same, over in PROBE_BRIEF_MS */
    PROBE_ACTOR_ELSEWHERE, /* of the authority, but for another overlay */
    PROBE_ACTOR_SEVERAL,   /* two Node-IDs */
    PROBE_ACTOR_UNTRUSTED, /* of a CA that nobody knows */
    PROBE_ACTOR_SELF_MADE, /* signed by itself */
    PROBE_ACTOR_RSA,       /* as FRESH, with an RSA key */
    PROBE_ACTOR_NEAR,      /* as FRESH, about opposite of the peer on the ring */
    PROBE_ACTOR_AT,        /* as FRESH, with the Node-ID that the caller wants */
    PROBE_ACTOR_OWNED,     /* as FRESH; its user's resource lies in the half before the peer */
};

/* 0, or -1 with a fault. `wanted`: the Node-ID of PROBE_ACTOR_AT. Defines NAME.id,
 * NAME.certificate, NAME.user and so on in `names`. */
int probe_actor_make(struct probe_actor **out, struct probe_world *world, const char *name,
                     enum probe_kind_of_actor kind, struct reload_slice wanted,
                     struct probe_scope *names, struct probe_fault *fault);
void probe_actor_free(struct probe_actor *actor); /* NULL is fine */
const struct reload_cert_identity *probe_actor_identity(const struct probe_actor *actor);

/* A new link to the peer under test, its handshake over; NULL with a fault. */
struct probe_link *probe_actor_dial(struct probe_actor *actor, struct probe_fault *fault);
/* The newest link that is up, or NULL. */
struct probe_link *probe_actor_link(const struct probe_actor *actor);
/* Waits for links; actor->local tells where. -1 with a fault. */
int probe_actor_listen(struct probe_actor *actor, struct probe_fault *fault);
/* Closes all links. */
void probe_actor_hang_up(struct probe_actor *actor);

/* Takes in what comes on the actors' sockets for up to wait_ms, but returns at the first of it. */
void probe_actors_poll(struct probe_actor *const *actors, size_t count, int wait_ms);

#endif
