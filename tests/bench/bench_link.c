/* The CPU of setting up one overlay link by Attach, both ends: request and answer through a peer
 * that knows both, then TCP, TLS and the first frame. Compared with what cannot be avoided: a bare
 * mutual TLS 1.3 handshake of the same certificates, 2 signatures and 2 verifications. All nodes
 * live in this thread, so no wake-up of another thread is counted on either side. */

#include "bare_tls.h"
#include "bench.h"
#include "certs/overlay_dir.h"
#include "overlay_files.h"
#include "peer/overlay.h"

#define NAME       "bench.example"
#define DIALLERS   6 /* few nodes, each pair of which links once: a loop over many costs more */
#define TARGETS    8
#define HANDSHAKES 200

struct node {
    struct bench_identity_files files;
    struct reload_overlay *overlay;
    enum reload_topology_state state;
};

static struct bench_files files;
static size_t attached, failed;

static void state_changed(void *context, enum reload_topology_state state, const char *text)
{
    (void)text;
    ((struct node *)context)->state = state;
}

static void wait_for(const size_t *count, size_t value)
{
    gint64 end = g_get_monotonic_time() + 30000000;
    while (*count + failed < value) {
        g_main_context_iteration(NULL, TRUE);
        BENCH_CHECK(g_get_monotonic_time() < end);
    }
}

static void node_start(struct node *node, unsigned number, enum reload_cert_key_type key,
                       const struct reload_overlay *bootstrap)
{
    static const struct reload_overlay_events events = { .state = state_changed };
    struct reload_link_address any;
    size_t count;
    bench_files_identity(&files, NAME, number, key, &node->files);
    BENCH_CHECK(reload_link_address_parse("127.0.0.1", 0, &any) == 0);
    struct reload_overlay_options options = {
        .config = files.document,
        .certificate = node->files.certificate,
        .key = node->files.key,
        .listen = &any,
        .listen_count = 1,
        .bootstrap = bootstrap ? reload_overlay_listening(bootstrap, &count) : NULL,
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
    gint64 end = g_get_monotonic_time() + 30000000;
    while (node->state != RELOAD_TOPOLOGY_JOINED) {
        g_main_context_iteration(NULL, TRUE);
        BENCH_CHECK(g_get_monotonic_time() < end);
    }
}

static void attach_done(void *context, const struct reload_result *result)
{
    (void)context;
    if (!result->error)
        attached++;
    else
        failed++;
}

/* Average CPU of one Attach from each of the diallers to each of the targets, one after another. */
static double attach_all(struct node *router, struct node *from, struct node *targets)
{
    uint64_t start = bench_cpu_ns();
    for (size_t i = 0; i < DIALLERS * TARGETS; i++) {
        const struct reload_node_id *to = &targets[i % TARGETS].files.node_id;
        struct reload_target target = { .via = &router->files.node_id,
                                        .id = reload_node_id_slice(to) };
        BENCH_CHECK(reload_overlay_attach(from[i / TARGETS].overlay, &target, attach_done, NULL) ==
                    0);
        wait_for(&attached, i + 1);
    }
    return (double)(bench_cpu_ns() - start) / (DIALLERS * TARGETS);
}

static enum reload_cert_key_type wanted_key(int argc, char **argv)
{
    enum reload_cert_key_type key = RELOAD_CERT_KEY_EC;
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "-k") == 0 && reload_cert_key_type_parse(argv[i + 1], &key)) {
            fprintf(stderr, "bench_link [-k ec|rsa] [--json]\n");
            exit(2);
        }
    return key;
}

int main(int argc, char **argv)
{
    enum reload_cert_key_type key = wanted_key(argc, argv);
    struct reload_config config =
        reload_cert_overlay_options_default(NAME, bench_clock_ns(CLOCK_REALTIME) / 1000000u).config;
    static const char *const enrollment[] = { "https://127.0.0.1/" };
    config.no_ice = true;
    config.enrollment_servers = enrollment;
    config.enrollment_server_count = 1;
    bench_files_create(&files, &config, key);

    static struct node router, from[DIALLERS], targets[TARGETS];
    node_start(&router, 0, key, NULL);
    for (unsigned i = 0; i < DIALLERS; i++)
        node_start(&from[i], 1 + i, key, router.overlay);
    for (unsigned i = 0; i < TARGETS; i++)
        node_start(&targets[i], 1 + DIALLERS + i, key, router.overlay);
    char ca[BENCH_PATH_MAX + 16];
    snprintf(ca, sizeof ca, "%s/%s", files.directory, RELOAD_CERT_CA_PEM);

    double bare =
        bench_bare_handshake_ns(router.files.certificate, router.files.key, ca, HANDSHAKES);
    double ours = attach_all(&router, from, targets);
    double again =
        bench_bare_handshake_ns(router.files.certificate, router.files.key, ca, HANDSHAKES);
    bare = (bare + again) / 2; /* before and after, as the machine's speed wanders */
    struct bench_crypto_cost crypto = bench_bare_crypto(router.files.key, 2000);
    double least = bare + 2 * crypto.sign_ns + 2 * crypto.verify_ns;

    if (bench_wants_json(argc, argv))
        printf("{\"attaches\":%zu,\"failed\":%zu,\"attach_cpu_us\":%.1f,\"bare_handshake_us\":%.1f,"
               "\"least_us\":%.1f,\"ratio\":%.2f}\n",
               attached, failed, ours / 1000, bare / 1000, least / 1000, ours / least);
    else
        printf("one Attach with its link: %.0f us CPU, both ends and the peer between them\n"
               "bare handshake %.0f us, with the Attach's signatures %.0f us: ratio %.2f\n",
               ours / 1000, bare / 1000, least / 1000, ours / least);
    for (size_t i = 0; i < TARGETS; i++)
        reload_overlay_free(targets[i].overlay);
    for (size_t i = 0; i < DIALLERS; i++)
        reload_overlay_free(from[i].overlay);
    reload_overlay_free(router.overlay);
    bench_files_remove(&files);
    return failed ? 1 : 0;
}
