#include "certs/enroll/discovery.h"

#include "certs/enroll/events.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>

#define SERVICE "_reload-config._tcp."

struct record {
    char host[256];
    uint16_t priority, weight, port;
};

struct lookup {
    ares_channel channel;
    uint64_t deadline_ms;
    int status;
    struct record records[RELOAD_ENROLL_TARGETS_MAX];
    size_t record_count;
    struct reload_enroll_target *targets;
    size_t target_count;
    const struct record *resolving;
};

/* Runs the channel until its one query has called back; past the deadline it is cancelled. */
static void run(struct lookup *l)
{
    for (;;) {
        fd_set readable, writable;
        FD_ZERO(&readable);
        FD_ZERO(&writable);
        int n = ares_fds(l->channel, &readable, &writable);
        if (n == 0)
            return;
        uint64_t now_ms = reload_enroll_monotonic_ms();
        if (now_ms >= l->deadline_ms) {
            ares_cancel(l->channel); /* calls back with ARES_ECANCELLED */
            return;
        }
        uint64_t left_ms = l->deadline_ms - now_ms;
        struct timeval max = { (time_t)(left_ms / 1000), (suseconds_t)(left_ms % 1000) * 1000 };
        struct timeval wait, *next = ares_timeout(l->channel, &max, &wait);
        if (select(n, &readable, &writable, NULL, next) >= 0)
            ares_process(l->channel, &readable, &writable);
    }
}

static void take_records(void *closure, int status, int timeouts, unsigned char *answer, int len)
{
    struct lookup *l = closure;
    struct ares_srv_reply *list = NULL;
    (void)timeouts;
    l->status = status == ARES_SUCCESS ? ares_parse_srv_reply(answer, len, &list) : status;
    for (struct ares_srv_reply *r = list; r && l->record_count < RELOAD_ENROLL_TARGETS_MAX;
         r = r->next) {
        if (strlen(r->host) == 0 || strcmp(r->host, ".") == 0 || strlen(r->host) > 255)
            continue; /* RFC 2782: a target of "." says that the service is not there */
        struct record *to = &l->records[l->record_count++];
        snprintf(to->host, sizeof to->host, "%s", r->host);
        to->priority = r->priority;
        to->weight = r->weight;
        to->port = r->port;
    }
    ares_free_data(list);
}

static void swap(struct record *a, struct record *b)
{
    struct record t = *a;
    *a = *b;
    *b = t;
}

/* RFC 2782: lowest priority first; among equals each is next with a chance by its weight. */
static void order(struct record *r, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++) {
        for (size_t j = i + 1; j < n; j++)
            if (r[j].priority < r[i].priority)
                swap(&r[i], &r[j]);
        uint32_t total = 0, at = 0;
        for (size_t j = i; j < n && r[j].priority == r[i].priority; j++)
            total += r[j].weight + 1u;
        if (RAND_bytes((unsigned char *)&at, sizeof at) != 1)
            at = 0;
        at %= total;
        size_t pick = i;
        while (at >= r[pick].weight + 1u)
            at -= r[pick++].weight + 1u;
        swap(&r[i], &r[pick]);
    }
}

static void take_addresses(void *closure, int status, int timeouts, struct ares_addrinfo *found)
{
    struct lookup *l = closure;
    (void)timeouts;
    l->status = status;
    struct ares_addrinfo_node *node = status == ARES_SUCCESS && found ? found->nodes : NULL;
    for (; node && l->target_count < RELOAD_ENROLL_TARGETS_MAX; node = node->ai_next) {
        struct reload_enroll_target *to = &l->targets[l->target_count];
        char text[46] = "";
        if (getnameinfo(node->ai_addr, (socklen_t)node->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) != 0)
            continue;
        snprintf(to->address, sizeof to->address, node->ai_family == AF_INET6 ? "[%s]" : "%s",
                 text);
        snprintf(to->host, sizeof to->host, "%s", l->resolving->host);
        to->port = l->resolving->port;
        l->target_count++;
    }
    if (found)
        ares_freeaddrinfo(found);
}

static int error_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
    case ARES_ENODATA:
    case ARES_ENOTFOUND: return RELOAD_E_NOT_FOUND;
    case ARES_ETIMEOUT:
    case ARES_ECANCELLED: return RELOAD_E_TIMEOUT;
    case ARES_EBADNAME:
    case ARES_EBADSTR: return RELOAD_E_INVALID;
    case ARES_ENOMEM: return RELOAD_E_NOMEM;
    default: return RELOAD_E_IO;
    }
}

static int search(struct lookup *l, const char *overlay, struct reload_cert_reason *reason)
{
    char name[300];
    snprintf(name, sizeof name, SERVICE "%s", overlay);
    ares_query(l->channel, name, ns_c_in, ns_t_srv, take_records, l);
    run(l);
    if (l->record_count == 0)
        return reload_cert_refuse(reason, error_of(l->status), "DNS has no SRV record %s: %s", name,
                                  l->status == ARES_SUCCESS ? "the service is not offered"
                                                            : ares_strerror(l->status));
    order(l->records, l->record_count);
    for (size_t i = 0; i < l->record_count; i++) {
        struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC };
        l->resolving = &l->records[i];
        ares_getaddrinfo(l->channel, l->records[i].host, NULL, &hints, take_addresses, l);
        run(l);
    }
    if (l->target_count == 0)
        return reload_cert_refuse(reason, error_of(l->status),
                                  "DNS has no address for %s, the configuration server of %s: %s",
                                  l->records[0].host, overlay, ares_strerror(l->status));
    return 0;
}

int reload_enroll_discover(const char *overlay, const char *servers, uint32_t timeout_ms,
                           struct reload_enroll_target out[RELOAD_ENROLL_TARGETS_MAX],
                           size_t *count, struct reload_cert_reason *reason)
{
    struct ares_options options = { .timeout = 2000, .tries = 3 };
    struct lookup l = { .deadline_ms = reload_enroll_monotonic_ms() + timeout_ms, .targets = out };
    *count = 0;
    if (strlen(overlay) > 253)
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "the overlay name is too long for DNS; give a URL");
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return RELOAD_E_NOMEM;
    int error = 0;
    if (ares_init_options(&l.channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) !=
        ARES_SUCCESS) {
        error = RELOAD_E_NOMEM;
    } else {
        if (servers && ares_set_servers_ports_csv(l.channel, servers) != ARES_SUCCESS)
            error = reload_cert_refuse(reason, RELOAD_E_INVALID, "%s is no list of DNS servers",
                                       servers);
        if (!error)
            error = search(&l, overlay, reason);
        ares_destroy(l.channel);
    }
    ares_library_cleanup();
    *count = error ? 0 : l.target_count;
    return error;
}
