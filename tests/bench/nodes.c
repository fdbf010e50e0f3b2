#include "nodes.h"

#include "bench.h"
#include "certs/overlay_dir.h"

#define PATIENCE_US 30000000

void bench_nodes_create(struct bench_files *files, bool ice, enum reload_cert_key_type key)
{
    static const char *const enrollment[] = { "https://127.0.0.1/" };
    struct reload_config config =
        reload_cert_overlay_options_default(BENCH_NODES_OVERLAY,
                                            bench_clock_ns(CLOCK_REALTIME) / 1000000u)
            .config;
    config.no_ice = !ice;
    config.enrollment_servers = enrollment;
    config.enrollment_server_count = 1;
    bench_files_create(files, &config, key);
}

static void state_changed(void *context, enum reload_topology_state state, const char *text)
{
    (void)text;
    ((struct bench_node *)context)->state = state;
}

void bench_node_start(struct bench_node *node, const struct bench_files *files, unsigned number,
                      enum reload_cert_key_type key, const struct bench_node *bootstrap)
{
    static const struct reload_overlay_events events = { .state = state_changed };
    struct reload_link_address any;
    size_t count;
    bench_files_identity(files, BENCH_NODES_OVERLAY, number, key, &node->files);
    BENCH_CHECK(reload_link_address_parse("127.0.0.1", 0, &any) == 0);
    struct reload_overlay_options options = {
        .config = files->document,
        .certificate = node->files.certificate,
        .key = node->files.key,
        .listen = &any,
        .listen_count = 1,
        .bootstrap = bootstrap ? reload_overlay_listening(bootstrap->overlay, &count) : NULL,
        .bootstrap_count = bootstrap ? 1 : 0,
        .role = bootstrap ? RELOAD_ROLE_CLIENT_ANY : RELOAD_ROLE_PEER,
        .events = &events,
        .events_context = node,
    };
    struct reload_cert_reason reason = { 0 };
    if (reload_overlay_new(&options, &node->overlay, &reason)) {
        fprintf(stderr, "node: %s\n", reason.text);
        exit(1);
    }
    reload_overlay_join(node->overlay, !bootstrap);
    gint64 end_us = g_get_monotonic_time() + PATIENCE_US;
    while (node->state != RELOAD_TOPOLOGY_JOINED) {
        g_main_context_iteration(NULL, TRUE);
        BENCH_CHECK(g_get_monotonic_time() < end_us);
    }
}

struct outcome {
    bool done, attached;
};

static void attach_done(void *context, const struct reload_result *result)
{
    *(struct outcome *)context = (struct outcome){ true, result->error == 0 };
}

bool bench_node_attach(struct bench_node *from, const struct bench_node *router,
                       const struct bench_node *to)
{
    struct outcome outcome = { false, false };
    const struct reload_target target = { .via = &router->files.node_id,
                                          .id = reload_node_id_slice(&to->files.node_id) };
    BENCH_CHECK(reload_overlay_attach(from->overlay, &target, attach_done, &outcome) == 0);
    gint64 end_us = g_get_monotonic_time() + PATIENCE_US;
    while (!outcome.done) {
        g_main_context_iteration(NULL, TRUE);
        BENCH_CHECK(g_get_monotonic_time() < end_us);
    }
    return outcome.attached;
}
