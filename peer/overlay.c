#include "ice/address.h"
#include "peer/able.h"
#include "peer/overlay_internal.h"
#include "peer/own_addresses.h"

#include <errno.h>
#include <sys/random.h>

/* Making the overlay object: everything is read and checked before anything is sent. */

#define PORT_TRIES 100

static void fill_random(void *unused, uint8_t *out, size_t len)
{
    (void)unused;
    while (len > 0) {
        ssize_t n = getrandom(out, len, 0);
        if (n < 0 && errno != EINTR)
            g_error("getrandom: %s", g_strerror(errno)); /* no randomness: nothing is safe */
        if (n > 0) {
            out += n;
            len -= (size_t)n;
        }
    }
}

/* --- where others find this node --- */

static void find_candidates(struct reload_overlay *o)
{
    struct reload_candidates *c = &o->candidates;
    for (size_t i = 0; i < o->listening_count; i++)
        reload_own_addresses(&o->listening[i], c->own, &c->count, RELOAD_LINK_DIAL_MAX);
    for (size_t i = 0; i < c->count; i++)
        c->addresses[i] = reload_ice_address_to_wire(&c->own[i]);
}

/* --- the parts, in the order they need each other --- */

static int make_certs(struct reload_overlay *o, const struct reload_overlay_options *options,
                      struct reload_cert_reason *reason)
{
    struct reload_cert_context_options certs = {
        .identity = o->files.identity,
        .config = o->files.config,
        .policy = reload_able_policy(),
        .log = o->log,
    };
    certs.policy.bare_node_id_uri = options->bare_node_id_uri;
    int error = reload_cert_context_new(&certs, &o->certs, reason);
    if (!error)
        o->crypto = reload_cert_context_crypto(o->certs);
    o->crypto.raw_resource_ids = options->raw_resource_ids;
    return error;
}

/* Leaves errno as it is. */
static int refuse_port(const char *what, const struct reload_link_address *at, int error,
                       struct reload_cert_reason *reason)
{
    int number = errno;
    char text[RELOAD_LINK_ADDRESS_TEXT];
    error =
        reload_cert_refuse(reason, error, "cannot %s %s: %s. Choose another with --listen", what,
                           reload_link_address_text(at, text),
                           error == RELOAD_E_IO ? g_strerror(number) : reload_error_text(error));
    errno = number;
    return error;
}

/* UDP ports with the numbers of the TCP ones: one candidate address serves both link types. */
static int open_bare_port(struct reload_overlay *o, const struct reload_link_address *at,
                          struct reload_cert_reason *reason)
{
    int error = reload_links_listen_datagrams(o->links, at, &o->bare[o->bare_count]);
    if (error)
        return refuse_port("open UDP port", at, error, reason);
    o->bare_count++;
    return 0;
}

int reload_overlay_open_bare_ports(struct reload_overlay *o, struct reload_cert_reason *reason)
{
    static const struct reload_link_address any = { .len = 4 };
    int error = o->listening_count == 0 ? open_bare_port(o, &any, reason) : 0;
    for (size_t i = 0; i < o->listening_count && error == 0; i++)
        error = open_bare_port(o, &o->listening[i], reason);
    return error;
}

/* Where the system chooses the port, it does not look whether UDP has that number free, too. */
static int listen_at(struct reload_overlay *o, const struct reload_link_address *at, bool udp,
                     struct reload_cert_reason *reason)
{
    struct reload_link_address *actual = &o->listening[o->listening_count];
    if (o->listening_count == RELOAD_OVERLAY_LISTENERS)
        return refuse_port("listen on", at, RELOAD_E_LIMIT, reason);
    for (int tries = 1;; tries++) {
        int error = reload_links_listen(o->links, at, RELOAD_LINK_SERVER, actual);
        if (error)
            return refuse_port("listen on", at, error, reason);
        error = udp ? open_bare_port(o, actual, reason) : 0;
        if (!error) {
            o->listening_count++;
            return 0;
        }
        if (at->port != 0 || error != RELOAD_E_IO || errno != EADDRINUSE || tries == PORT_TRIES)
            return error;
        reload_links_unlisten(o->links, actual);
    }
}

static int make_links(struct reload_overlay *o, const struct reload_overlay_options *options,
                      struct reload_cert_reason *reason)
{
    struct reload_links_config config = {
        .identity = &reload_cert_link_identity_ops,
        .identity_context = o->certs,
        .log = o->log,
        .max_message_size = o->files.config->max_message_size,
    };
    if (options->pcap_file && reload_pcap_open(options->pcap_file, &o->pcap))
        return reload_cert_refuse(reason, RELOAD_E_IO, "%s: %s", options->pcap_file,
                                  g_strerror(errno));
    config.pcap = o->pcap;
    int error = reload_links_new(&config, &o->links);
    bool udp = options->dtls || !o->files.config->no_ice;
    if (error)
        return reload_cert_refuse(reason, error, "links cannot be set up: %s",
                                  reload_error_text(error));
    for (size_t i = 0; i < options->listen_count && !error; i++)
        error = listen_at(o, &options->listen[i], udp, reason);
    return !error && udp && o->listening_count == 0 ? reload_overlay_open_bare_ports(o, reason)
                                                    : error;
}

static int make_ice(struct reload_overlay *o, const struct reload_overlay_options *options,
                    struct reload_cert_reason *reason)
{
    int error = o->files.config->no_ice ? 0 : reload_able_descriptors(reason);
    if (error)
        return error;
    reload_overlay_stun_init(o);
    error = reload_overlay_ice_new(o, options->context);
    return error ? reload_cert_refuse(reason, error, "ICE cannot be set up: %s",
                                      reload_error_text(error))
                 : 0;
}

static int make_node(struct reload_overlay *o, const struct reload_overlay_options *options,
                     struct reload_cert_reason *reason)
{
    find_candidates(o);
    struct reload_node_config config = {
        .crypto = &o->crypto,
        .overlay = o->files.config,
        .config_ops = &reload_cert_config_ops,
        .config_context = o->certs,
        .topology = reload_able_topology(o->files.config),
        .random = o->random,
        .role = o->role,
        .addresses = o->candidates.addresses,
        .address_count = o->candidates.count,
        .link_types = { o->dtls ? RELOAD_LINK_DTLS_UDP_SR_NO_ICE : RELOAD_LINK_TLS_TCP_FH_NO_ICE,
                        RELOAD_LINK_TLS_TCP_FH_NO_ICE },
        .link_type_count = o->dtls ? 2 : 1,
        .ice = true,
        .direct_application = RELOAD_ICE_TURN_APPLICATION,
        .persist = options->store_file != NULL,
        .publish_certificate = true,
        .log_level = o->log ? o->log->level : RELOAD_LOG_ERROR,
    };
    int error = reload_able_check(o->files.config, o->role, reason);
    if (error)
        return error;
    error = reload_node_new(&config, o->now, &o->node);
    return error ? reload_cert_refuse(reason, error, "the node cannot be set up: %s",
                                      reload_error_text(error))
                 : 0;
}

static int take_row(void *context, const struct reload_store_row *row)
{
    struct reload_overlay *o = context;
    int error = reload_node_load(o->node, row, o->now);
    if (error)
        reload_log_write(o->log, error == RELOAD_E_EXPIRED ? RELOAD_LOG_DEBUG : RELOAD_LOG_WARNING,
                         "store", "a value on disk is dropped: %s", reload_error_text(error));
    reload_overlay_drain(o);
    return error;
}

static int make_store(struct reload_overlay *o, const struct reload_overlay_options *options,
                      struct reload_cert_reason *reason)
{
    if (!options->store_file)
        return 0;
    int error = reload_store_file_open(options->store_file, &o->store, reason);
    if (!error && reload_store_file_load(o->store, take_row, o))
        error = reload_cert_refuse(reason, RELOAD_E_IO,
                                   "%s: damaged. Move it away to start with an empty store",
                                   options->store_file);
    return error;
}

static void make_bootstrap(struct reload_overlay *o, const struct reload_overlay_options *options)
{
    char *cache = o->directory ? g_build_filename(o->directory, RELOAD_IDENTITY_CACHE, NULL) : NULL;
    reload_bootstrap_init(&o->bootstrap, cache, &o->random);
    g_array_append_vals(o->bootstrap.own, o->listening, (guint)o->listening_count);
    if (options->bootstrap_count)
        g_array_append_vals(o->bootstrap.fixed, options->bootstrap,
                            (guint)options->bootstrap_count);
    g_free(cache);
}

static int make(struct reload_overlay *o, const struct reload_overlay_options *options,
                struct reload_cert_reason *reason)
{
    int error = reload_identity_files_read(options, o->now.unix_ms, &o->files, reason);
    if (!error)
        error = make_certs(o, options, reason);
    if (!error)
        error = make_links(o, options, reason);
    if (!error)
        error = make_ice(o, options, reason);
    if (!error)
        error = make_node(o, options, reason);
    if (!error)
        error = reload_overlay_turn_offer(o, options, reason);
    if (!error)
        error = make_store(o, options, reason);
    if (error)
        return error;
    make_bootstrap(o, options);
    reload_overlay_attach_source(o, options->context);
    return 0;
}

int reload_overlay_new(const struct reload_overlay_options *options, struct reload_overlay **out,
                       struct reload_cert_reason *reason)
{
    struct reload_overlay *o = g_new0(struct reload_overlay, 1);
    o->directory = g_strdup(options->identity);
    o->role = options->role;
    o->dtls = options->dtls;
    o->log = options->log;
    o->random.fill = fill_random;
    o->harvest_at_ms = o->bootstrap_tcp_ms = RELOAD_NEVER;
    o->now = reload_overlay_now();
    o->dials = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    o->dialled = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    o->requests = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    o->failed_attaches = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    o->failed_persists = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_queue_init(&o->notices);
    reload_channels_init(o);
    reload_overlay_turn_init(o);
    if (options->events)
        o->events = *options->events;
    o->events_context = options->events_context;
    int error = make(o, options, reason);
    if (error) {
        reload_overlay_free(o);
        return error;
    }
    *out = o;
    return 0;
}

void reload_overlay_free(struct reload_overlay *o)
{
    if (!o)
        return;
    if (o->source) {
        g_source_destroy(o->source);
        g_source_unref(o->source);
    }
    reload_overlay_turn_fini(o);
    reload_overlay_abandon(o);
    reload_channels_fini(o);
    reload_bootstrap_fini(&o->bootstrap);
    reload_node_free(o->node);
    reload_overlay_ice_free(o);
    reload_links_free(o->links);
    reload_pcap_close(o->pcap);
    reload_store_file_close(o->store);
    reload_cert_context_free(o->certs);
    reload_cert_identity_free(o->files.identity);
    reload_cert_document_free(o->files.config);
    g_hash_table_unref(o->dials);
    g_hash_table_unref(o->dialled);
    g_hash_table_unref(o->requests);
    g_array_unref(o->failed_attaches);
    g_array_unref(o->failed_persists);
    g_free(o->directory);
    g_free(o);
}

/* --- looking in --- */

const struct reload_node *reload_overlay_node(const struct reload_overlay *o)
{
    return o->node;
}

const struct reload_links *reload_overlay_links(const struct reload_overlay *o)
{
    return o->links;
}

const struct reload_config *reload_overlay_config(const struct reload_overlay *o)
{
    return reload_node_overlay(o->node);
}

const struct reload_own_identity *reload_overlay_own(const struct reload_overlay *o)
{
    return o->crypto.own;
}

struct reload_random reload_overlay_random(const struct reload_overlay *o)
{
    return o->random;
}

enum reload_role reload_overlay_role(const struct reload_overlay *o)
{
    return o->role;
}

const struct reload_link_address *reload_overlay_listening(const struct reload_overlay *o,
                                                           size_t *count)
{
    *count = o->listening_count;
    return o->listening;
}

bool reload_overlay_store_stats(const struct reload_overlay *o, struct reload_store_file_stats *out)
{
    if (o->store)
        reload_store_file_stats(o->store, out);
    return o->store != NULL;
}

int reload_overlay_resource_id(const struct reload_overlay *o, struct reload_slice name,
                               uint8_t *out, size_t *len)
{
    return reload_node_resource_id(o->node, name, out, len);
}
