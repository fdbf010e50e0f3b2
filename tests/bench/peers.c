#include "peers.h"

#include "bench.h"
#include "certs/overlay_dir.h"

#define WAIT_MS 60000

static struct reload_kind_config bench_kind(uint32_t max_value_size)
{
    return (struct reload_kind_config){ .id = BENCH_KIND,
                                        .data_model = RELOAD_MODEL_SINGLE,
                                        .access_control = "NODE-MULTIPLE",
                                        .max_count = 1,
                                        .max_size = max_value_size,
                                        .max_node_multiple = BENCH_MULTIPLE_MAX };
}

void bench_peers_create(struct bench_peers *peers, size_t count, enum reload_cert_key_type key,
                        uint32_t max_value_size)
{
    *peers = (struct bench_peers){ .key = key, .count = count };
    g_mutex_init(&peers->mutex);
    g_cond_init(&peers->changed);
    struct reload_kind_config kind = bench_kind(max_value_size);
    static const char *const enrollment[] = { "https://127.0.0.1/" };
    struct reload_config config = reload_cert_overlay_options_default(
                                      BENCH_OVERLAY_NAME, bench_clock_ns(CLOCK_REALTIME) / 1000000u)
                                      .config;
    config.no_ice = true;
    config.kinds = &kind;
    config.kind_count = 1;
    config.enrollment_servers = enrollment;
    config.enrollment_server_count = 1;
    if (max_value_size + 4000 > config.max_message_size)
        config.max_message_size = max_value_size + 4000;
    bench_files_create(&peers->files, &config, key);
    peers->peer = g_new0(struct bench_peer, count);
    for (size_t i = 0; i < count; i++) {
        peers->peer[i].all = peers;
        bench_files_identity(&peers->files, BENCH_OVERLAY_NAME, (unsigned)i, key,
                             &peers->peer[i].files);
    }
}

static void state_changed(void *context, enum reload_topology_state state, const char *text)
{
    (void)text;
    struct bench_peer *peer = context;
    g_mutex_lock(&peer->all->mutex);
    peer->state = state;
    g_cond_broadcast(&peer->all->changed);
    g_mutex_unlock(&peer->all->mutex);
}

static gpointer peer_thread(gpointer data)
{
    struct bench_peer *peer = data;
    g_main_context_push_thread_default(peer->context);
    g_main_loop_run(peer->loop);
    g_main_context_pop_thread_default(peer->context);
    return NULL;
}

struct call {
    struct bench_peer *peer;
    void (*function)(struct bench_peer *, void *);
    void *data;
    bool done;
};

static gboolean call_run(gpointer data)
{
    struct call *call = data;
    call->function(call->peer, call->data);
    g_mutex_lock(&call->peer->all->mutex);
    call->done = true;
    g_cond_broadcast(&call->peer->all->changed);
    g_mutex_unlock(&call->peer->all->mutex);
    return G_SOURCE_REMOVE;
}

void bench_peer_run(struct bench_peer *peer, void (*function)(struct bench_peer *, void *),
                    void *data)
{
    struct call call = { peer, function, data, false };
    g_main_context_invoke(peer->context, call_run, &call);
    g_mutex_lock(&peer->all->mutex);
    while (!call.done)
        g_cond_wait(&peer->all->changed, &peer->all->mutex);
    g_mutex_unlock(&peer->all->mutex);
}

struct start {
    enum reload_role role;
    const struct reload_link_address *bootstrap; /* NULL: this one is first */
};

static void peer_start(struct bench_peer *peer, void *data)
{
    const struct start *start = data;
    static const struct reload_overlay_events events = { .state = state_changed };
    struct reload_link_address any;
    BENCH_CHECK(reload_link_address_parse("127.0.0.1", 0, &any) == 0);
    struct reload_overlay_options options = {
        .config = peer->all->files.document,
        .certificate = peer->files.certificate,
        .key = peer->files.key,
        .listen = &any,
        .listen_count = 1,
        .bootstrap = start->bootstrap,
        .bootstrap_count = start->bootstrap ? 1 : 0,
        .role = start->role,
        .context = peer->context,
        .events = &events,
        .events_context = peer,
    };
    struct reload_cert_reason reason = { 0 };
    if (reload_overlay_new(&options, &peer->overlay, &reason)) {
        fprintf(stderr, "peer: %s\n", reason.text);
        exit(1);
    }
    peer->made_cpu_ns = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    reload_overlay_join(peer->overlay, !start->bootstrap);
}

void bench_peers_start(struct bench_peers *peers, size_t i, enum reload_role role)
{
    struct bench_peer *peer = &peers->peer[i];
    peer->context = g_main_context_new();
    peer->loop = g_main_loop_new(peer->context, FALSE);
    peer->thread = g_thread_new("peer", peer_thread, peer);
    struct start start = { .role = role };
    size_t count;
    if (i > 0)
        start.bootstrap = reload_overlay_listening(peers->peer[0].overlay, &count);
    bench_peer_run(peer, peer_start, &start);

    gint64 end = g_get_monotonic_time() + WAIT_MS * 1000;
    g_mutex_lock(&peers->mutex);
    while (peer->state != RELOAD_TOPOLOGY_JOINED)
        if (!g_cond_wait_until(&peers->changed, &peers->mutex, end)) {
            fprintf(stderr, "peer %zu did not join in %d s\n", i, WAIT_MS / 1000);
            exit(1);
        }
    g_mutex_unlock(&peers->mutex);
}

struct neighbors {
    struct reload_node_id predecessor, successor;
};

static void peer_neighbors(struct bench_peer *peer, void *data)
{
    struct neighbors *out = data;
    struct reload_topology_entry entries[256];
    size_t count = reload_node_tables(reload_overlay_node(peer->overlay), entries, 256);
    *out = (struct neighbors){ 0 };
    for (size_t i = 0; i < count && i < 256; i++) {
        if (entries[i].index == 0 && entries[i].relation == RELOAD_RELATION_PREDECESSOR)
            out->predecessor = entries[i].node_id;
        if (entries[i].index == 0 && entries[i].relation == RELOAD_RELATION_SUCCESSOR)
            out->successor = entries[i].node_id;
    }
}

static int by_node_id(const void *a, const void *b)
{
    const struct bench_peer *const *left = a, *const *right = b;
    return reload_node_id_compare(&(*left)->files.node_id, &(*right)->files.node_id);
}

static bool ring_is_right(struct bench_peer **ring, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct neighbors now;
        bench_peer_run(ring[i], peer_neighbors, &now);
        if (!reload_node_id_equal(&now.successor, &ring[(i + 1) % count]->files.node_id) ||
            !reload_node_id_equal(&now.predecessor, &ring[(i + count - 1) % count]->files.node_id))
            return false;
    }
    return true;
}

void bench_peers_settle(struct bench_peers *peers, size_t count)
{
    struct bench_peer **ring = g_new0(struct bench_peer *, count);
    for (size_t i = 0; i < count; i++)
        ring[i] = &peers->peer[i];
    qsort(ring, count, sizeof *ring, by_node_id);
    gint64 end = g_get_monotonic_time() + WAIT_MS * 1000;
    while (count > 1 && !ring_is_right(ring, count)) {
        if (g_get_monotonic_time() > end) {
            fprintf(stderr, "the ring of %zu is not right after %d s\n", count, WAIT_MS / 1000);
            exit(1);
        }
        g_usleep(2000);
    }
    g_free(ring);
}

static void peer_totals(struct bench_peer *peer, void *data)
{
    struct bench_totals *sum = data;
    struct reload_links_stats stats;
    reload_links_stats(reload_overlay_links(peer->overlay), &stats);
    sum->links_opened += stats.dialled;
    sum->messages += stats.sum.messages_out;
    sum->requests += reload_node_counters(reload_overlay_node(peer->overlay))->requested;
}

struct bench_totals bench_peers_totals(struct bench_peers *peers)
{
    struct bench_totals sum = { 0 };
    for (size_t i = 0; i < peers->count && peers->peer[i].overlay; i++)
        bench_peer_run(&peers->peer[i], peer_totals, &sum);
    return sum;
}

static void peer_stop(struct bench_peer *peer, void *data)
{
    (void)data;
    reload_overlay_free(peer->overlay);
    peer->overlay = NULL;
    g_main_loop_quit(peer->loop);
}

void bench_peers_stop(struct bench_peers *peers)
{
    for (size_t i = 0; i < peers->count; i++) {
        struct bench_peer *peer = &peers->peer[i];
        if (!peer->thread)
            continue;
        bench_peer_run(peer, peer_stop, NULL);
        g_thread_join(peer->thread);
        g_main_loop_unref(peer->loop);
        g_main_context_unref(peer->context);
    }
    g_free(peers->peer);
    bench_files_remove(&peers->files);
}
