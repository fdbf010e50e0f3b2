/* An overlay of real peers: how long until the ring is right, what a join costs, and what Store and
 * Fetch cost in time, CPU, packets and bytes, with one and with several operations in flight.
 *
 * The unavoidable cryptography of one operation, chains being cached:
 *   Store: 7 signatures (value, request, answer, 2 replica requests, 2 replica answers) and
 *          9 verifications (request and value at the owner and at 2 replicas, answer at the
 *          requester, 2 replica answers at the owner).
 *   Fetch: 2 signatures (request, answer), 3 verifications (request, answer, value).
 * The cryptography of TLS records is not counted, nor is forwarding.
 *
 * A join is compared with the bare TLS handshakes of the links that it opens, and with these plus
 * 2 signatures and 2 verifications for each request that any peer sends because of it: Attach,
 * Join, the Stores that hand values over, and the Updates of every peer whose neighbors change to
 * its whole Connection Table (RFC 6940 s10.7.3), which are most of them. */

#include <getopt.h>
#include <stdatomic.h>
#include <unistd.h>

#include "bare_tls.h"
#include "bench.h"
#include "certs/overlay_dir.h"
#include "peers.h"
#include "reload/wire/fetch.h"

#define STORE_SIGNATURES    7
#define STORE_VERIFICATIONS 9
#define FETCH_SIGNATURES    2
#define FETCH_VERIFICATIONS 3
#define LIFETIME_S          3600
#define HANDSHAKES          200
#define SETTLE_US           1000000 /* fingers and late Updates */

struct options {
    size_t peers, operations, in_flight, value_bytes, idle_s;
    enum reload_cert_key_type key;
    bool json;
};

struct pass { /* operations of one kind with so many in flight */
    struct bench_peers *peers;
    size_t value_bytes;
    bool store;
    size_t operations, in_flight;
    atomic_size_t ended, failed, wrong; /* ended: lanes */
    uint32_t *latency_us;               /* of each operation */
    size_t stored;                      /* keys that exist, when fetching */
};

struct lane { /* one operation after another, all from one peer: every in_flight-th of the pass */
    struct pass *pass;
    struct bench_peer *peer;
    size_t operation;
    uint64_t started_ns;
};

struct figures {
    double per_s, cpu_us, packets, bytes, messages, p50_ms, p95_ms, p99_ms;
    size_t failed, wrong;
};

struct join {                      /* of the last peer */
    double ms, own_cpu_ms, cpu_ms; /* cpu_ms: of all peers */
    uint64_t links, requests;      /* of all peers */
};

struct least { /* what cannot be avoided, measured alone */
    double store_us, fetch_us, request_us, handshake_us;
};

struct idle { /* a second and node */
    double packets, bytes, cpu_us;
};

struct report {
    double ring_right_s, node_kb;
    struct join join;
    struct least least;
    struct figures store_1, store, fetch_1, fetch;
    struct idle idle;
    size_t failed, wrong;
};

/* Key k is value k / peers of peer k % peers: neighbours in k lie far apart in the ring. */
static size_t key_resource(struct bench_peers *peers, size_t key, const struct reload_overlay *any,
                           uint8_t *out)
{
    uint8_t name[RELOAD_NODE_ID_MAX + 1];
    const struct reload_node_id *id = &peers->peer[key % peers->count].files.node_id;
    memcpy(name, id->bytes, id->len);
    name[id->len] = (uint8_t)(key / peers->count % BENCH_MULTIPLE_MAX);
    size_t len;
    BENCH_CHECK(reload_overlay_resource_id(any, reload_slice_of(name, id->len + 1u), out, &len) ==
                0);
    return len;
}

static void key_value(size_t key, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(key >> (8 * (i % sizeof key)));
}

/* The key of an operation: when storing, one that the lane's peer may write and no other lane does.
 */
static size_t lane_key(const struct lane *lane)
{
    const struct pass *pass = lane->pass;
    size_t count = pass->peers->count, mine = (size_t)(lane->peer - pass->peers->peer);
    if (!pass->store)
        return lane->operation % pass->stored;
    return (lane->operation / count * count + mine) % (count * BENCH_MULTIPLE_MAX);
}

static void lane_next(struct lane *lane);

static void lane_done(void *context, const struct reload_result *result)
{
    struct lane *lane = context;
    struct pass *pass = lane->pass;
    pass->latency_us[lane->operation] = (uint32_t)((bench_wall_ns() - lane->started_ns) / 1000);
    if (result->error) {
        atomic_fetch_add(&pass->failed, 1);
    } else if (!pass->store) {
        uint8_t *expected = g_malloc(pass->value_bytes + 1);
        key_value(lane_key(lane), expected, pass->value_bytes);
        if (result->value_count != 1 ||
            !reload_slice_equal(result->values[0].value,
                                reload_slice_of(expected, pass->value_bytes)))
            atomic_fetch_add(&pass->wrong, 1);
        g_free(expected);
    }
    lane->operation += pass->in_flight;
    lane_next(lane);
}

static int lane_store(struct lane *lane)
{
    struct pass *pass = lane->pass;
    size_t key = lane_key(lane);
    uint8_t resource[RELOAD_RESOURCE_ID_MAX], *value = g_malloc(pass->value_bytes + 1);
    size_t len = key_resource(pass->peers, key, lane->peer->overlay, resource);
    key_value(key, value, pass->value_bytes);
    struct reload_store_item item = { .kind = BENCH_KIND,
                                      .exists = true,
                                      .value = reload_slice_of(value, pass->value_bytes),
                                      .lifetime_s = LIFETIME_S };
    int error = reload_overlay_store(lane->peer->overlay, reload_slice_of(resource, len), &item, 1,
                                     lane_done, lane);
    g_free(value);
    return error;
}

static int lane_fetch(struct lane *lane)
{
    struct pass *pass = lane->pass;
    uint8_t resource[RELOAD_RESOURCE_ID_MAX], body[400];
    size_t len =
        key_resource(pass->peers, lane->operation % pass->stored, lane->peer->overlay, resource);
    struct reload_writer w = reload_writer_of(body, sizeof body);
    size_t mark = reload_fetch_req_begin(&w, reload_slice_of(resource, len));
    struct reload_specifier_mark specifier =
        reload_specifier_begin(&w, BENCH_KIND, 0, RELOAD_MODEL_SINGLE);
    reload_specifier_end(&w, specifier, RELOAD_MODEL_SINGLE);
    reload_fetch_req_end(&w, mark);
    return reload_overlay_fetch(lane->peer->overlay, reload_slice_of(resource, len),
                                reload_writer_slice(&w), lane_done, lane);
}

static void lane_next(struct lane *lane)
{
    struct pass *pass = lane->pass;
    if (lane->operation >= pass->operations) {
        g_mutex_lock(&pass->peers->mutex);
        atomic_fetch_add(&pass->ended, 1);
        g_cond_broadcast(&pass->peers->changed);
        g_mutex_unlock(&pass->peers->mutex);
        return;
    }
    lane->started_ns = bench_wall_ns();
    int error = pass->store ? lane_store(lane) : lane_fetch(lane);
    if (error) {
        fprintf(stderr, "operation: %s\n", reload_error_text(error));
        exit(1);
    }
}

static void lane_start(struct bench_peer *peer, void *data)
{
    (void)peer;
    lane_next(data);
}

static void loopback_counters(uint64_t *packets, uint64_t *bytes)
{
    *packets = *bytes = 0;
    FILE *file = fopen("/proc/net/dev", "r");
    char line[512];
    while (file && fgets(line, sizeof line, file)) {
        unsigned long long in_bytes, in_packets;
        if (sscanf(line, " lo: %llu %llu", &in_bytes, &in_packets) == 2) {
            *bytes = in_bytes;
            *packets = in_packets;
        }
    }
    if (file)
        fclose(file);
}

static int by_latency(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static struct figures run_pass(struct bench_peers *peers, const struct options *options, bool store,
                               size_t operations, size_t in_flight, size_t stored)
{
    struct pass pass = { .peers = peers,
                         .value_bytes = options->value_bytes,
                         .store = store,
                         .operations = operations,
                         .in_flight = in_flight,
                         .latency_us = g_new0(uint32_t, operations),
                         .stored = stored };
    struct lane *lanes = g_new0(struct lane, in_flight);
    uint64_t messages = bench_peers_totals(peers).messages;
    uint64_t packets[2], bytes[2], wall = bench_wall_ns(), cpu = bench_cpu_ns();
    loopback_counters(&packets[0], &bytes[0]);
    for (size_t i = 0; i < in_flight; i++) {
        lanes[i] =
            (struct lane){ .pass = &pass, .peer = &peers->peer[i % peers->count], .operation = i };
        bench_peer_run(lanes[i].peer, lane_start, &lanes[i]);
    }
    g_mutex_lock(&peers->mutex);
    while (atomic_load(&pass.ended) < in_flight)
        g_cond_wait(&peers->changed, &peers->mutex);
    g_mutex_unlock(&peers->mutex);
    double count = (double)operations;
    struct figures f = { .cpu_us = (double)(bench_cpu_ns() - cpu) / 1000 / count,
                         .per_s = count * 1e9 / (double)(bench_wall_ns() - wall) };
    loopback_counters(&packets[1], &bytes[1]);
    f.packets = (double)(packets[1] - packets[0]) / count;
    f.bytes = (double)(bytes[1] - bytes[0]) / count;
    f.messages = (double)(bench_peers_totals(peers).messages - messages) / count;
    qsort(pass.latency_us, operations, sizeof *pass.latency_us, by_latency);
    f.p50_ms = pass.latency_us[operations / 2] / 1000.0;
    f.p95_ms = pass.latency_us[operations * 95 / 100] / 1000.0;
    f.p99_ms = pass.latency_us[operations * 99 / 100] / 1000.0;
    f.failed = pass.failed;
    f.wrong = pass.wrong;
    g_free(pass.latency_us);
    g_free(lanes);
    return f;
}

static double resident_kb(void)
{
    long pages = 0, ignored;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%ld %ld", &ignored, &pages) != 2)
        pages = 0;
    if (file)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1024;
}

static struct options parse(int argc, char **argv)
{
    struct options options = {
        .peers = 32, .operations = 2000, .in_flight = 16, .value_bytes = 100, .idle_s = 5
    };
    static const struct option names[] = { { "json", no_argument, NULL, 'j' },
                                           { "idle", required_argument, NULL, 'i' },
                                           { 0 } };
    for (int c; (c = getopt_long(argc, argv, "n:o:c:v:k:i:", names, NULL)) != -1;) {
        switch (c) {
        case 'n': options.peers = strtoul(optarg, NULL, 10); break;
        case 'o': options.operations = strtoul(optarg, NULL, 10); break;
        case 'c': options.in_flight = strtoul(optarg, NULL, 10); break;
        case 'v': options.value_bytes = strtoul(optarg, NULL, 10); break;
        case 'i': options.idle_s = strtoul(optarg, NULL, 10); break;
        case 'j': options.json = true; break;
        case 'k':
            if (reload_cert_key_type_parse(optarg, &options.key) == 0)
                break;
            /* fall through */
        default:
            fprintf(stderr, "bench_overlay [-n PEERS] [-o OPERATIONS] [-c IN_FLIGHT] [-v BYTES] "
                            "[-k ec|rsa] [--idle SECONDS] [--json]\n");
            exit(2);
        }
    }
    if (!options.peers || !options.operations || !options.in_flight) {
        fprintf(stderr, "bench_overlay: -n, -o and -c must be above 0\n");
        exit(2);
    }
    return options;
}

static void print_pass(const char *what, const struct figures *f)
{
    printf("%-22s %8.0f/s  %7.0f us CPU  p50 %6.2f  p95 %6.2f  p99 %6.2f ms  %5.1f packets  "
           "%7.0f bytes  %zu failed  %zu wrong\n",
           what, f->per_s, f->cpu_us, f->p50_ms, f->p95_ms, f->p99_ms, f->packets, f->bytes,
           f->failed, f->wrong);
}

static void json_pass(const char *name, const struct figures *f)
{
    printf("\"%s_per_s\":%.0f,\"%s_cpu_us\":%.1f,\"%s_p50_ms\":%.3f,\"%s_p95_ms\":%.3f,"
           "\"%s_p99_ms\":%.3f,\"%s_packets\":%.1f,\"%s_bytes\":%.0f,\"%s_messages\":%.2f,",
           name, f->per_s, name, f->cpu_us, name, f->p50_ms, name, f->p95_ms, name, f->p99_ms, name,
           f->packets, name, f->bytes, name, f->messages);
}

/* By OpenSSL alone. */
static struct least measure_least(const struct bench_peers *peers)
{
    const struct bench_identity_files *own = &peers->peer[0].files;
    struct bench_crypto_cost crypto = bench_bare_crypto(own->key, 2000);
    double sign_us = crypto.sign_ns / 1000, verify_us = crypto.verify_ns / 1000;
    char ca[BENCH_PATH_MAX + 16];
    snprintf(ca, sizeof ca, "%s/%s", peers->files.directory, RELOAD_CERT_CA_PEM);
    return (struct least){
        .store_us = STORE_SIGNATURES * sign_us + STORE_VERIFICATIONS * verify_us,
        .fetch_us = FETCH_SIGNATURES * sign_us + FETCH_VERIFICATIONS * verify_us,
        .request_us = 2 * sign_us + 2 * verify_us,
        .handshake_us = bench_bare_handshake_ns(own->certificate, own->key, ca, HANDSHAKES) / 1000,
    };
}

/* Before and after what it is compared with, as the speed of the machine wanders. */
static struct least mean_of(const struct least *a, const struct least *b)
{
    return (struct least){ .store_us = (a->store_us + b->store_us) / 2,
                           .fetch_us = (a->fetch_us + b->fetch_us) / 2,
                           .request_us = (a->request_us + b->request_us) / 2,
                           .handshake_us = (a->handshake_us + b->handshake_us) / 2 };
}

static void own_cpu_ms(struct bench_peer *peer, void *data)
{
    *(double *)data = (double)(bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) - peer->made_cpu_ns) / 1e6;
}

/* Starts one peer more in a ring that is right. Nothing looks at the peers until the fingers are in
 * place too. */
static struct join join_last(struct bench_peers *peers)
{
    struct bench_totals before = bench_peers_totals(peers);
    uint64_t wall = bench_wall_ns(), cpu = bench_cpu_ns();
    bench_peers_start(peers, peers->count - 1, RELOAD_ROLE_PEER);
    struct join join = { .ms = (double)(bench_wall_ns() - wall) / 1e6 };
    g_usleep(SETTLE_US);
    join.cpu_ms = (double)(bench_cpu_ns() - cpu - peers->peer[peers->count - 1].made_cpu_ns) / 1e6;
    bench_peer_run(&peers->peer[peers->count - 1], own_cpu_ms, &join.own_cpu_ms);
    struct bench_totals after = bench_peers_totals(peers);
    join.links = after.links_opened - before.links_opened;
    join.requests = after.requests - before.requests;
    bench_peers_settle(peers, peers->count);
    return join;
}

/* All peers, one after another, the last one under observation. */
static void build_ring(struct bench_peers *peers, struct report *r)
{
    double before_kb = resident_kb();
    uint64_t start = bench_wall_ns();
    for (size_t i = 0; i + 1 < peers->count; i++)
        bench_peers_start(peers, i, RELOAD_ROLE_PEER);
    bench_peers_settle(peers, peers->count - 1);
    r->ring_right_s = (double)(bench_wall_ns() - start) / 1e9;
    g_usleep(SETTLE_US);
    r->join = join_last(peers);
    r->node_kb = (resident_kb() - before_kb) / (double)peers->count;
}

static void run_operations(struct bench_peers *peers, const struct options *o, struct report *r)
{
    size_t keys = o->peers * BENCH_MULTIPLE_MAX;
    if (o->operations < keys)
        keys = (o->operations + o->peers - 1) / o->peers * o->peers;
    size_t single = o->operations < 500 ? o->operations : 500;
    struct figures fill = run_pass(peers, o, true, keys, o->peers, 0);
    r->store_1 = run_pass(peers, o, true, single, 1, 0);
    r->store = run_pass(peers, o, true, o->operations, o->in_flight, 0);
    r->fetch_1 = run_pass(peers, o, false, single, 1, keys);
    r->fetch = run_pass(peers, o, false, o->operations, o->in_flight, keys);
    r->failed =
        fill.failed + r->store_1.failed + r->store.failed + r->fetch_1.failed + r->fetch.failed;
    r->wrong = r->fetch_1.wrong + r->fetch.wrong;
}

static struct idle watch_idle(const struct options *options)
{
    uint64_t packets[2], bytes[2], cpu = bench_cpu_ns();
    loopback_counters(&packets[0], &bytes[0]);
    g_usleep(options->idle_s * 1000000);
    loopback_counters(&packets[1], &bytes[1]);
    double count = (double)(options->idle_s ? options->idle_s : 1) * (double)options->peers;
    return (struct idle){ (double)(packets[1] - packets[0]) / count,
                          (double)(bytes[1] - bytes[0]) / count,
                          (double)(bench_cpu_ns() - cpu) / 1000 / count };
}

/* --- results --- */

static double handshakes_ms(const struct report *r)
{
    return (double)r->join.links * r->least.handshake_us / 1000;
}

static double join_least_ms(const struct report *r)
{
    return handshakes_ms(r) + (double)r->join.requests * r->least.request_us / 1000;
}

static void json_join(const struct report *r)
{
    printf("\"ring_right_s\":%.3f,\"join_ms\":%.1f,\"join_own_cpu_ms\":%.2f,\"join_cpu_ms\":%.2f,"
           "\"join_links\":%llu,\"join_requests\":%llu,\"handshake_us\":%.0f,"
           "\"join_own_ratio\":%.2f,\"join_ratio\":%.2f,\"join_crypto_ratio\":%.2f,",
           r->ring_right_s, r->join.ms, r->join.own_cpu_ms, r->join.cpu_ms,
           (unsigned long long)r->join.links, (unsigned long long)r->join.requests,
           r->least.handshake_us, r->join.own_cpu_ms / handshakes_ms(r),
           r->join.cpu_ms / handshakes_ms(r), r->join.cpu_ms / join_least_ms(r));
}

static void print_json(const struct options *o, const struct report *r)
{
    printf("{\"n\":%zu,\"operations\":%zu,\"in_flight\":%zu,\"value_bytes\":%zu,\"key\":\"%s\",",
           o->peers, o->operations, o->in_flight, o->value_bytes,
           o->key == RELOAD_CERT_KEY_EC ? "ec" : "rsa");
    json_join(r);
    json_pass("store", &r->store);
    json_pass("fetch", &r->fetch);
    json_pass("store1", &r->store_1);
    json_pass("fetch1", &r->fetch_1);
    printf("\"store_crypto_us\":%.1f,\"fetch_crypto_us\":%.1f,\"store_crypto_ratio\":%.2f,"
           "\"fetch_crypto_ratio\":%.2f,\"hops\":%.2f,\"node_kb\":%.0f,"
           "\"idle_packets_per_node_s\":%.2f,\"idle_bytes_per_node_s\":%.0f,"
           "\"idle_cpu_us_per_node_s\":%.1f,\"failed\":%zu,\"wrong\":%zu}\n",
           r->least.store_us, r->least.fetch_us, r->store.cpu_us / r->least.store_us,
           r->fetch.cpu_us / r->least.fetch_us, r->fetch.messages / 2, r->node_kb, r->idle.packets,
           r->idle.bytes, r->idle.cpu_us, r->failed, r->wrong);
}

static void print_text(const struct options *o, const struct report *r)
{
    printf("%zu peers: ring right after %.2f s; %.0f KB a node\n", o->peers, r->ring_right_s,
           r->node_kb);
    printf(
        "the last join: joined after %.1f ms, %llu links, bare handshakes of %.0f us\n"
        "  its own CPU %.1f ms (%.2f times the handshakes)\n"
        "  CPU in all peers %.1f ms for %llu requests (%.2f times; with the requests' signatures "
        "%.2f)\n",
        r->join.ms, (unsigned long long)r->join.links, r->least.handshake_us, r->join.own_cpu_ms,
        r->join.own_cpu_ms / handshakes_ms(r), r->join.cpu_ms, (unsigned long long)r->join.requests,
        r->join.cpu_ms / handshakes_ms(r), r->join.cpu_ms / join_least_ms(r));
    print_pass("store, 1 in flight", &r->store_1);
    print_pass("store, in flight", &r->store);
    print_pass("fetch, 1 in flight", &r->fetch_1);
    print_pass("fetch, in flight", &r->fetch);
    printf("%.2f hops to the responsible peer\n", r->fetch.messages / 2);
    printf("cryptography alone: store %.0f us (%.2f times that), fetch %.0f us (%.2f times)\n",
           r->least.store_us, r->store.cpu_us / r->least.store_us, r->least.fetch_us,
           r->fetch.cpu_us / r->least.fetch_us);
    printf("idle: %.2f packets, %.0f bytes, %.1f us CPU a second and node\n", r->idle.packets,
           r->idle.bytes, r->idle.cpu_us);
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);
    struct bench_peers peers;
    struct report report = { 0 };
    bench_peers_create(&peers, options.peers, options.key, (uint32_t)options.value_bytes);
    struct least before = measure_least(&peers);
    build_ring(&peers, &report);
    run_operations(&peers, &options, &report);
    report.idle = watch_idle(&options);
    struct least after = measure_least(&peers);
    report.least = mean_of(&before, &after);
    (options.json ? print_json : print_text)(&options, &report);
    bench_peers_stop(&peers);
    return report.failed || report.wrong ? 1 : 0;
}
