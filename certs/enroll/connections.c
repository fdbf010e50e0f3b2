#include "certs/enroll/connections.h"

#include "reload/alloc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define SPARE 16 /* places for connections that were cut but are not cleaned up yet */

enum stage { HEADER, BODY, WHOLE }; /* what of the request is still to come; WHOLE: nothing */

struct reload_enroll_connection {
    int fd; /* -1 = free place */
    enum stage stage;
    bool cut;
    uint64_t accepted_ms, number; /* number: in the order they came */
    struct reload_enroll_address address;
};

struct reload_enroll_connections {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct reload_enroll_connection_limits limits;
    struct reload_enroll_events *events;
    uint32_t places;
    uint64_t accepted;
    bool woken;
    struct reload_enroll_connection table[];
};

struct reload_enroll_connections *
reload_enroll_connections_new(const struct reload_enroll_connection_limits *limits,
                              struct reload_enroll_events *events)
{
    uint32_t places = limits->total + SPARE;
    struct reload_enroll_connections *all =
        reload_calloc(1, sizeof *all + places * sizeof all->table[0]);
    if (!all)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&all->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&all->mutex, NULL);
    all->limits = *limits;
    all->events = events;
    all->places = places;
    for (uint32_t i = 0; i < places; i++)
        all->table[i].fd = -1;
    return all;
}

void reload_enroll_connections_free(struct reload_enroll_connections *all)
{
    if (!all)
        return;
    pthread_mutex_destroy(&all->mutex);
    pthread_cond_destroy(&all->changed);
    reload_free(all);
}

struct reload_enroll_address reload_enroll_address_of(const struct sockaddr *address)
{
    struct reload_enroll_address out = { .len = 4 };
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        memcpy(out.bytes, &in.sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
        out.len = mapped ? 4 : 16;
        memcpy(out.bytes, in6.sin6_addr.s6_addr + (mapped ? 12 : 0), out.len);
    }
    return out;
}

const char *reload_enroll_address_text(const struct reload_enroll_address *address, char text[64])
{
    if (!inet_ntop(address->len == 4 ? AF_INET : AF_INET6, address->bytes, text, 64))
        text[0] = '\0';
    return text;
}

/* A /64 is one subscriber. */
static bool same_subscriber(const struct reload_enroll_address *a,
                            const struct reload_enroll_address *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len == 4 ? 4 : 8) == 0;
}

/* Called with the mutex held: the descriptor cannot be closed and given to another meanwhile. */
static void cut(struct reload_enroll_connections *all, struct reload_enroll_connection *c,
                enum reload_enroll_event event, uint64_t now_ms)
{
    char text[64];
    c->cut = true;
    shutdown(c->fd, SHUT_RDWR);
    reload_enroll_note(all->events, event, "%s cut after %u ms, its header %s",
                       reload_enroll_address_text(&c->address, text),
                       (unsigned)(now_ms - c->accepted_ms),
                       c->stage == HEADER ? "incomplete" : "there");
}

/* Counts those that are open, of one address or (NULL) of all. *idlest: the one to do without; NULL
 * when all have shown their requests. Those without a header go first, of them the oldest. */
static uint32_t count(struct reload_enroll_connections *all,
                      const struct reload_enroll_address *address,
                      struct reload_enroll_connection **idlest)
{
    uint32_t open = 0;
    *idlest = NULL;
    for (uint32_t i = 0; i < all->places; i++) {
        struct reload_enroll_connection *c = &all->table[i];
        if (c->fd < 0 || c->cut || (address && !same_subscriber(&c->address, address)))
            continue;
        open++;
        if (c->stage == WHOLE)
            continue;
        if (!*idlest || c->stage < (*idlest)->stage ||
            (c->stage == (*idlest)->stage && c->number < (*idlest)->number))
            *idlest = c;
    }
    return open;
}

/* Refusing newcomers instead would let twenty silent connections keep out whoever shares their
 * address. */
bool reload_enroll_connections_allow(struct reload_enroll_connections *all,
                                     const struct reload_enroll_address *address)
{
    struct reload_enroll_connection *idlest;
    pthread_mutex_lock(&all->mutex);
    uint32_t open = count(all, address, &idlest);
    bool room = open < all->limits.per_address;
    if (!room && idlest)
        cut(all, idlest, RELOAD_ENROLL_TOO_MANY_FROM_ADDRESS, reload_enroll_monotonic_ms());
    pthread_mutex_unlock(&all->mutex);
    if (room || idlest)
        return true;
    char text[64];
    reload_enroll_note(all->events, RELOAD_ENROLL_TOO_MANY_FROM_ADDRESS,
                       "%s has %u requests under way already",
                       reload_enroll_address_text(address, text), open);
    return false;
}

static void make_room(struct reload_enroll_connections *all, uint64_t now_ms)
{
    struct reload_enroll_connection *idlest;
    if (count(all, NULL, &idlest) >= all->limits.total && idlest)
        cut(all, idlest, RELOAD_ENROLL_TOO_MANY_CONNECTIONS, now_ms);
}

struct reload_enroll_connection *
reload_enroll_connections_open(struct reload_enroll_connections *all, int fd,
                               const struct reload_enroll_address *address)
{
    struct reload_enroll_connection *place = NULL;
    uint64_t now_ms = reload_enroll_monotonic_ms();
    pthread_mutex_lock(&all->mutex);
    make_room(all, now_ms);
    for (uint32_t i = 0; i < all->places && !place; i++)
        if (all->table[i].fd < 0)
            place = &all->table[i];
    if (place)
        *place = (struct reload_enroll_connection){ fd,     HEADER,          false,
                                                    now_ms, all->accepted++, *address };
    pthread_cond_signal(&all->changed);
    pthread_mutex_unlock(&all->mutex);
    return place;
}

static void reach(struct reload_enroll_connections *all,
                  struct reload_enroll_connection *connection, enum stage stage)
{
    pthread_mutex_lock(&all->mutex);
    connection->stage = stage;
    pthread_mutex_unlock(&all->mutex);
}

void reload_enroll_connections_header(struct reload_enroll_connections *all,
                                      struct reload_enroll_connection *connection)
{
    reach(all, connection, BODY);
}

void reload_enroll_connections_whole(struct reload_enroll_connections *all,
                                     struct reload_enroll_connection *connection)
{
    reach(all, connection, WHOLE);
}

void reload_enroll_connections_close(struct reload_enroll_connections *all,
                                     struct reload_enroll_connection *connection)
{
    pthread_mutex_lock(&all->mutex);
    connection->fd = -1;
    pthread_mutex_unlock(&all->mutex);
}

const struct reload_enroll_address *
reload_enroll_connection_address(const struct reload_enroll_connection *connection)
{
    return &connection->address;
}

/* Cuts what is late; returns the time of the next deadline. */
static uint64_t cut_late(struct reload_enroll_connections *all, uint64_t now_ms, uint64_t next_ms)
{
    for (uint32_t i = 0; i < all->places; i++) {
        struct reload_enroll_connection *c = &all->table[i];
        if (c->fd < 0 || c->cut)
            continue;
        uint64_t deadline_ms =
            c->accepted_ms + (c->stage == HEADER ? all->limits.header_ms : all->limits.request_ms);
        if (deadline_ms <= now_ms)
            cut(all, c, RELOAD_ENROLL_SLOW, now_ms);
        else if (deadline_ms < next_ms)
            next_ms = deadline_ms;
    }
    return next_ms;
}

void reload_enroll_connections_watch(struct reload_enroll_connections *all, uint32_t max_ms)
{
    uint64_t now_ms = reload_enroll_monotonic_ms();
    pthread_mutex_lock(&all->mutex);
    uint64_t next_ms = cut_late(all, now_ms, now_ms + max_ms);
    struct timespec until = { .tv_sec = (time_t)(next_ms / 1000),
                              .tv_nsec = (long)(next_ms % 1000) * 1000000 };
    if (!all->woken)
        pthread_cond_timedwait(&all->changed, &all->mutex, &until);
    pthread_mutex_unlock(&all->mutex);
}

void reload_enroll_connections_wake(struct reload_enroll_connections *all)
{
    pthread_mutex_lock(&all->mutex);
    all->woken = true;
    pthread_cond_broadcast(&all->changed);
    pthread_mutex_unlock(&all->mutex);
}

uint32_t reload_enroll_connections_count(struct reload_enroll_connections *all)
{
    uint32_t open = 0;
    pthread_mutex_lock(&all->mutex);
    for (uint32_t i = 0; i < all->places; i++)
        open += all->table[i].fd >= 0;
    pthread_mutex_unlock(&all->mutex);
    return open;
}
