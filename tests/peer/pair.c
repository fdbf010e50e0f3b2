#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "certs/overlay_dir.h"
#include "reload/config/registry.h"

#define OVERLAY_NAME "pair.example"
#define JOIN_MS      60000

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

static void start(struct pair *pair, struct pair_node *node, const struct pair_options *options,
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
    reload_overlay_join(node->overlay, !bootstrap);
}

static void until_joined(struct pair *pair, const struct pair_node *node)
{
    gint64 end_us = g_get_monotonic_time() + JOIN_MS * 1000;
    while (node->state != RELOAD_TOPOLOGY_JOINED && g_get_monotonic_time() < end_us)
        pair_turn(pair);
    must(node->state == RELOAD_TOPOLOGY_JOINED, "a node does not join");
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
    bench_files_identity(&pair->files, OVERLAY_NAME, 1, RELOAD_CERT_KEY_EC, &pair->b.files);
    start(pair, &pair->a, options, true, NULL);
    until_joined(pair, &pair->a);
    size_t count;
    start(pair, &pair->b, options, !options->b_is_deaf,
          reload_overlay_listening(pair->a.overlay, &count));
    until_joined(pair, &pair->b);
}

void pair_node_free(struct pair_node *node)
{
    reload_overlay_free(node->overlay);
    node->overlay = NULL;
}

void pair_close(struct pair *pair)
{
    pair_node_free(&pair->a);
    pair_node_free(&pair->b);
    for (int i = 0; i < 100; i++) /* what ICE has put off */
        pair_turn(pair);
    g_main_context_unref(pair->a.context);
    g_main_context_unref(pair->b.context);
    bench_files_remove(&pair->files);
}

void pair_turn(struct pair *pair)
{
    struct pair_node *nodes[] = { &pair->a, &pair->b };
    bool busy = false;
    for (size_t i = 0; i < 2; i++)
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
