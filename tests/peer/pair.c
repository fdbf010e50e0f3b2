#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "certs/overlay_dir.h"
#include "reload/config/registry.h"

#define OVERLAY_NAME "pair.example"
#define JOIN_MS      60000
#define NODES_MAX    (2 + PAIR_GUESTS_MAX)

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "pair: %s\n", what);
    abort();
}

static void state_changed(void *context, enum reload_topology_state state, const char *text)
{
    (void)text;
    ((struct pair_node *)context)->state = state;
}

static void make(struct pair *pair, struct pair_node *node, const struct pair_options *options,
                 bool listens, const struct reload_link_address *bootstrap)
{
    static const struct reload_overlay_events events = { .state = state_changed };
    struct reload_link_address any, turn;
    struct reload_cert_reason reason = { "" };
    must(reload_link_address_parse("127.0.0.1", 0, &any) == 0, "address");
    must(reload_link_address_parse("127.0.0.1", PAIR_TURN_PORT, &turn) == 0, "address");
    node->context = g_main_context_new();
    struct reload_overlay_options overlay = {
        .config = pair->files.document,
        .certificate = node->files.certificate,
        .key = node->files.key,
        .listen = &any,
        .listen_count = listens ? 1 : 0,
        .dtls = options->dtls,
        .turn = options->turn && !bootstrap ? &turn : NULL,
        .turn_secret = reload_slice_of(PAIR_TURN_SECRET, strlen(PAIR_TURN_SECRET)),
        .bootstrap = bootstrap,
        .bootstrap_count = bootstrap ? 1 : 0,
        .role = listens ? RELOAD_ROLE_PEER : RELOAD_ROLE_CLIENT,
        .context = node->context,
        .events = &events,
        .events_context = node,
    };
    must(reload_overlay_new(&overlay, &node->overlay, &reason) == 0, reason.text);
}

static const struct reload_link_address *founder(const struct pair *pair)
{
    size_t count;
    return reload_overlay_listening(pair->a.overlay, &count);
}

static void join(struct pair *pair, struct pair_node *node, bool first)
{
    reload_overlay_join(node->overlay, first);
    gint64 end_us = g_get_monotonic_time() + JOIN_MS * 1000;
    while (node->state != RELOAD_TOPOLOGY_JOINED && g_get_monotonic_time() < end_us)
        pair_turn(pair);
    must(node->state == RELOAD_TOPOLOGY_JOINED, "a node does not join");
}

/* By a quarter of the ring at least. */
static bool are_apart(const struct reload_node_id *one, const struct reload_node_id *other)
{
    uint8_t distance = (uint8_t)(one->bytes[0] - other->bytes[0]);
    return distance >= 64 && distance <= 192;
}

void pair_open(struct pair *pair, const struct pair_options *options)
{
    static const char *const enrollment[] = { "https://127.0.0.1/" };
    *pair = (struct pair){ 0 };
    struct reload_config config =
        reload_cert_overlay_options_default(OVERLAY_NAME, (uint64_t)g_get_real_time() / 1000)
            .config;
    config.no_ice = !options->ice;
    const struct reload_kind_config *sip =
        reload_config_registered_kind(RELOAD_KIND_SIP_REGISTRATION);
    if (options->sip) {
        config.kinds = sip;
        config.kind_count = 1;
    }
    config.enrollment_servers = enrollment;
    config.enrollment_server_count = 1;
    bench_files_create(&pair->files, &config, RELOAD_CERT_KEY_EC);
    bench_files_identity(&pair->files, OVERLAY_NAME, 0, RELOAD_CERT_KEY_EC, &pair->a.files);
    do /* each is to be responsible for a fair part of the ring */
        bench_files_identity(&pair->files, OVERLAY_NAME, 1, RELOAD_CERT_KEY_EC, &pair->b.files);
    while (!are_apart(&pair->a.files.node_id, &pair->b.files.node_id));
    make(pair, &pair->a, options, true, NULL);
    join(pair, &pair->a, true);
    make(pair, &pair->b, options, !options->b_is_deaf, founder(pair));
    join(pair, &pair->b, false);
}

void pair_guest(struct pair *pair, const struct pair_options *options, bool joins,
                struct pair_node *node)
{
    must(pair->guest_count < PAIR_GUESTS_MAX, "too many guests");
    *node = (struct pair_node){ 0 };
    do
        bench_files_identity(&pair->files, OVERLAY_NAME, 2 + (unsigned)pair->guest_count,
                             RELOAD_CERT_KEY_EC, &node->files);
    while (!reload_node_responsible(reload_overlay_node(pair->a.overlay),
                                    reload_node_id_slice(&node->files.node_id)));
    pair->guests[pair->guest_count++] = node;
    make(pair, node, options, false, founder(pair));
    if (joins)
        join(pair, node, false);
}

/* All of them, guests last. */
static size_t nodes_of(struct pair *pair, struct pair_node *out[NODES_MAX])
{
    out[0] = &pair->a;
    out[1] = &pair->b;
    for (size_t i = 0; i < pair->guest_count; i++)
        out[2 + i] = pair->guests[i];
    return 2 + pair->guest_count;
}

void pair_node_free(struct pair_node *node)
{
    reload_overlay_free(node->overlay);
    node->overlay = NULL;
}

void pair_close(struct pair *pair)
{
    struct pair_node *nodes[NODES_MAX];
    size_t count = nodes_of(pair, nodes);
    for (size_t i = 0; i < count; i++)
        pair_node_free(nodes[i]);
    for (int i = 0; i < 100; i++) /* what ICE has put off */
        pair_turn(pair);
    for (size_t i = 0; i < count; i++)
        g_main_context_unref(nodes[i]->context);
    bench_files_remove(&pair->files);
}

void pair_turn(struct pair *pair)
{
    struct pair_node *nodes[NODES_MAX];
    size_t count = nodes_of(pair, nodes);
    bool busy = false;
    for (size_t i = 0; i < count; i++)
        if (nodes[i]->context && !nodes[i]->asleep)
            busy = g_main_context_iteration(nodes[i]->context, FALSE) || busy;
    if (!busy)
        g_usleep(200);
}

bool pair_until(struct pair *pair, const bool *flag, unsigned ms)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)ms * 1000;
    while (!*flag && g_get_monotonic_time() < end_us)
        pair_turn(pair);
    return *flag;
}

void pair_for_ms(struct pair *pair, unsigned ms)
{
    bool never = false;
    (void)pair_until(pair, &never, ms);
}
