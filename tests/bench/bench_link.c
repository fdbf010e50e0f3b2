/* Overlay links: what it costs to set one up, and what one carries.
 *
 * Set-up: the CPU of one link by Attach, both ends: request and answer through a peer that knows
 * both, then TCP, TLS and the first frame. Compared with what cannot be avoided: a bare mutual TLS
 * 1.3 handshake of the same certificates, 2 signatures and 2 verifications. All nodes live in this
 * thread, so no wake-up of another thread is counted on either side. The DTLS handshake alone is
 * compared with OpenSSL's own.
 *
 * Carrying: messages of 1 KB over TLS and over DTLS with either sender, on loopback and over paths
 * with a delay. */

#include <unistd.h>

#include "bare_tls.h"
#include "bench.h"
#include "certs/overlay_dir.h"
#include "link_rates.h"
#include "nodes.h"
#include "slow_path.h"

#define DIALLERS   6 /* few nodes, each pair of which links once: a loop over many costs more */
#define TARGETS    8
#define HANDSHAKES 200
#define SECONDS    5 /* of each measurement */

static const unsigned rtts_ms[] = { 0, 50, 200 };

#define RTTS (sizeof rtts_ms / sizeof rtts_ms[0])

static struct bench_files files;
static size_t attached, failed;

/* Average CPU of one Attach from each of the diallers to each of the targets, one after another. */
static double attach_all(const struct bench_node *router, struct bench_node *from,
                         const struct bench_node *targets)
{
    uint64_t start = bench_cpu_ns();
    for (size_t i = 0; i < DIALLERS * TARGETS; i++) {
        if (bench_node_attach(&from[i / TARGETS], router, &targets[i % TARGETS]))
            attached++;
        else
            failed++;
    }
    return (double)(bench_cpu_ns() - start) / (DIALLERS * TARGETS);
}

struct setup {
    double attach_us, bare_us, least_us;    /* TLS by Attach */
    double datagrams_us, bare_datagrams_us; /* DTLS handshake */
};

struct figures {
    struct setup setup;
    bool has_slow_path;
    struct bench_rate rates[RTTS][BENCH_LINK_KINDS];
    double tls_against_window;
};

struct options {
    enum reload_cert_key_type key;
    unsigned seconds;
    bool json;
    bool only_ratio; /* of TLS to the window, on loopback */
};

static struct options read_options(int argc, char **argv)
{
    struct options options = { RELOAD_CERT_KEY_EC, SECONDS, bench_wants_json(argc, argv), false };
    int option;
    while ((option = getopt(argc, argv, "k:t:r-:")) != -1) {
        bool good = option == '-'   ? strcmp(optarg, "json") == 0
                    : option == 'k' ? reload_cert_key_type_parse(optarg, &options.key) == 0
                                    : option == 't' || option == 'r';
        options.only_ratio |= option == 'r';
        if (option == 't')
            options.seconds = (unsigned)strtoul(optarg, NULL, 10);
        if (!good || options.seconds == 0) {
            fprintf(stderr, "bench_link [-k ec|rsa] [-t SECONDS] [-r] [--json]\n");
            exit(2);
        }
    }
    return options;
}

static void measure_attaches(enum reload_cert_key_type key, const char *ca, struct setup *out)
{
    static struct bench_node router, from[DIALLERS], targets[TARGETS];
    bench_node_start(&router, &files, 0, key, NULL);
    for (unsigned i = 0; i < DIALLERS; i++)
        bench_node_start(&from[i], &files, 1 + i, key, &router);
    for (unsigned i = 0; i < TARGETS; i++)
        bench_node_start(&targets[i], &files, 1 + DIALLERS + i, key, &router);
    const struct bench_identity_files *own = &router.files;
    double bare = bench_bare_handshake_ns(own->certificate, own->key, ca, HANDSHAKES);
    double ours = attach_all(&router, from, targets);
    double again = bench_bare_handshake_ns(own->certificate, own->key, ca, HANDSHAKES);
    bare = (bare + again) / 2; /* before and after, as the machine's speed wanders */
    struct bench_crypto_cost crypto = bench_bare_crypto(own->key, 2000);
    out->attach_us = ours / 1000;
    out->bare_us = bare / 1000;
    out->least_us = (bare + 2 * crypto.sign_ns + 2 * crypto.verify_ns) / 1000;
    for (size_t i = 0; i < TARGETS; i++)
        reload_overlay_free(targets[i].overlay);
    for (size_t i = 0; i < DIALLERS; i++)
        reload_overlay_free(from[i].overlay);
    reload_overlay_free(router.overlay);
}

static void measure_datagram_handshakes(struct bench_party parties[2],
                                        const struct bench_identity_files *own, const char *ca,
                                        struct setup *out)
{
    double bare = bench_bare_datagram_handshake_ns(own->certificate, own->key, ca, HANDSHAKES);
    double ours = bench_dtls_handshake_ns(parties, HANDSHAKES);
    double again = bench_bare_datagram_handshake_ns(own->certificate, own->key, ca, HANDSHAKES);
    out->datagrams_us = ours / 1000;
    out->bare_datagrams_us = (bare + again) / 2000;
}

static void measure_rates(struct bench_party parties[2], unsigned seconds, struct figures *out)
{
    out->tls_against_window = bench_tls_against_window(parties);
    for (size_t i = 0; i < (out->has_slow_path ? RTTS : 1); i++)
        for (int kind = 0; kind < BENCH_LINK_KINDS; kind++)
            out->rates[i][kind] =
                bench_link_rate((enum bench_link_kind)kind, parties, rtts_ms[i], seconds);
}

/* How many times as many messages as stop-and-wait the window carries. */
static double gain(const struct bench_rate rates[BENCH_LINK_KINDS])
{
    return rates[BENCH_LINK_WINDOW].messages_per_s / rates[BENCH_LINK_STOP_AND_WAIT].messages_per_s;
}

static void print_text(const struct figures *f)
{
    const struct setup *s = &f->setup;
    printf("one Attach with its link: %.0f us CPU, both ends and the peer between them\n"
           "bare handshake %.0f us, with the Attach's signatures %.0f us: ratio %.2f\n"
           "one DTLS handshake: %.0f us CPU, both ends; OpenSSL's own %.0f us: ratio %.2f\n"
           "on loopback TLS carries %.2f times as many messages as the DTLS window\n",
           s->attach_us, s->bare_us, s->least_us, s->attach_us / s->least_us, s->datagrams_us,
           s->bare_datagrams_us, s->datagrams_us / s->bare_datagrams_us, f->tls_against_window);
    for (size_t i = 0; i < (f->has_slow_path ? RTTS : 1); i++) {
        for (int kind = 0; kind < BENCH_LINK_KINDS; kind++) {
            const struct bench_rate *r = &f->rates[i][kind];
            printf("%3u ms  %-18s %9.1f messages/s  %7.1f us CPU  p50 %7.2f  p99 %7.2f ms\n",
                   rtts_ms[i], bench_link_kinds[kind], r->messages_per_s, r->cpu_us, r->p50_ms,
                   r->p99_ms);
        }
        printf("%3u ms  the window carries %.1f times stop-and-wait\n", rtts_ms[i],
               gain(f->rates[i]));
    }
    if (!f->has_slow_path)
        printf("no paths with a delay: they need root and /dev/net/tun\n");
}

static void print_rates(const struct figures *f)
{
    const char *comma = "";
    printf("\"rates\":[");
    for (size_t i = 0; i < (f->has_slow_path ? RTTS : 1); i++)
        for (int kind = 0; kind < BENCH_LINK_KINDS; kind++, comma = ",") {
            const struct bench_rate *r = &f->rates[i][kind];
            printf("%s{\"link\":\"%s\",\"rtt_ms\":%u,\"messages_per_s\":%.1f,\"cpu_us\":%.2f,"
                   "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"samples\":%zu}",
                   comma, bench_link_kinds[kind], rtts_ms[i], r->messages_per_s, r->cpu_us,
                   r->p50_ms, r->p99_ms, r->samples);
        }
    printf("],\"window_gain\":{");
    for (size_t i = 0; i < (f->has_slow_path ? RTTS : 1); i++)
        printf("%s\"%u\":%.1f", i ? "," : "", rtts_ms[i], gain(f->rates[i]));
    printf("}");
}

static void print_json(const struct figures *f)
{
    const struct setup *s = &f->setup;
    printf("{\"attaches\":%zu,\"failed\":%zu,\"attach_cpu_us\":%.1f,\"bare_handshake_us\":%.1f,"
           "\"least_us\":%.1f,\"ratio\":%.2f,\"dtls_handshake_us\":%.1f,"
           "\"bare_dtls_handshake_us\":%.1f,\"dtls_ratio\":%.2f,\"tls_against_window\":%.2f,",
           attached, failed, s->attach_us, s->bare_us, s->least_us, s->attach_us / s->least_us,
           s->datagrams_us, s->bare_datagrams_us, s->datagrams_us / s->bare_datagrams_us,
           f->tls_against_window);
    print_rates(f);
    printf("}\n");
}

static void open_parties(struct bench_party parties[2], struct bench_identity_files own[2],
                         enum reload_cert_key_type key)
{
    for (unsigned i = 0; i < 2; i++) {
        bench_files_identity(&files, BENCH_NODES_OVERLAY, 100 + i, key, &own[i]);
        bench_party_open(&parties[i], &files, &own[i]);
    }
}

static void compare(struct bench_party parties[2], bool json)
{
    double ratio = bench_tls_against_window(parties);
    printf(json ? "{\"tls_against_window\":%.2f}\n"
                : "on loopback TLS carries %.2f times as many messages as the DTLS window\n",
           ratio);
}

static void measure_all(const struct options *options, struct bench_party parties[2],
                        const struct bench_identity_files *own)
{
    struct figures figures = { .has_slow_path = bench_slow_path_start() };
    char ca[BENCH_PATH_MAX + 16];
    snprintf(ca, sizeof ca, "%s/%s", files.directory, RELOAD_CERT_CA_PEM);
    measure_attaches(options->key, ca, &figures.setup);
    measure_datagram_handshakes(parties, own, ca, &figures.setup);
    measure_rates(parties, options->seconds, &figures);
    if (options->json)
        print_json(&figures);
    else
        print_text(&figures);
    bench_slow_path_stop();
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    struct bench_party parties[2];
    struct bench_identity_files own[2];
    bench_nodes_create(&files, false, options.key);
    open_parties(parties, own, options.key);
    if (options.only_ratio)
        compare(parties, options.json);
    else
        measure_all(&options, parties, own);
    for (size_t i = 0; i < 2; i++)
        bench_party_close(&parties[i]);
    bench_files_remove(&files);
    return failed ? 1 : 0;
}
