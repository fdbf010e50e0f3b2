/* From a request to attach to a link that can be used, by ICE and DTLS on loopback: the Attach
 * through a peer that knows both, candidates of both ends, checks, the DTLS handshake. The same
 * without ICE (TCP and TLS) shows what ICE adds. All nodes live in this thread, so the work of both
 * ends counts, one after the other. */

#include "bench.h"
#include "nodes.h"

#define FROM    6
#define TARGETS 8
#define PAIRS   (FROM * TARGETS)

struct times {
    double ms[PAIRS]; /* rising */
    size_t failed;
};

static void measure(bool ice, struct times *out)
{
    static struct bench_node router, from[FROM], targets[TARGETS];
    struct bench_files files;
    memset(&router, 0, sizeof router);
    memset(from, 0, sizeof from);
    memset(targets, 0, sizeof targets);
    out->failed = 0;
    bench_nodes_create(&files, ice, RELOAD_CERT_KEY_EC);
    bench_node_start(&router, &files, 0, RELOAD_CERT_KEY_EC, NULL);
    for (unsigned i = 0; i < FROM; i++)
        bench_node_start(&from[i], &files, 1 + i, RELOAD_CERT_KEY_EC, &router);
    for (unsigned i = 0; i < TARGETS; i++)
        bench_node_start(&targets[i], &files, 1 + FROM + i, RELOAD_CERT_KEY_EC, &router);
    for (size_t i = 0; i < PAIRS; i++) {
        uint64_t start = bench_wall_ns();
        out->failed += !bench_node_attach(&from[i / TARGETS], &router, &targets[i % TARGETS]);
        out->ms[i] = (double)(bench_wall_ns() - start) / 1e6;
    }
    qsort(out->ms, PAIRS, sizeof *out->ms, bench_ascending);
    for (size_t i = 0; i < TARGETS; i++)
        reload_overlay_free(targets[i].overlay);
    for (size_t i = 0; i < FROM; i++)
        reload_overlay_free(from[i].overlay);
    reload_overlay_free(router.overlay);
    bench_files_remove(&files);
}

int main(int argc, char **argv)
{
    struct times ice, plain;
    measure(true, &ice);
    measure(false, &plain);
    const double *i = ice.ms, *p = plain.ms;
    const char *format =
        bench_wants_json(argc, argv)
            ? "{\"attaches\":%d,\"failed\":%zu,\"median_ms\":%.1f,\"p90_ms\":%.1f,"
              "\"max_ms\":%.1f,\"without_ice_median_ms\":%.1f,\"without_ice_p90_ms\":%.1f}\n"
            : "%d attaches by ICE and DTLS, %zu failed: median %.1f ms, p90 %.1f ms, longest %.1f "
              "ms\nwithout ICE, by TCP and TLS: median %.1f ms, p90 %.1f ms\n";
    printf(format, PAIRS, ice.failed + plain.failed, i[PAIRS / 2], i[PAIRS * 9 / 10], i[PAIRS - 1],
           p[PAIRS / 2], p[PAIRS * 9 / 10]);
    return ice.failed + plain.failed ? 1 : 0;
}
