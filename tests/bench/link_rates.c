#include "link_rates.h"

#include "bench.h"
#include "slow_path.h"

#define SECOND_NS   UINT64_C(1000000000)
#define SAMPLES_MAX 65536
#define LOOPBACK    "127.0.0.1"
#define ROUNDS      9
#define ROUND_NS    (SECOND_NS / 3)

struct meter {
    size_t received, samples;
    double latency_ms[SAMPLES_MAX];
};

static struct meter meter;

/* Each message begins with the time it was sent at. */
static void received(void *context, struct reload_slice message)
{
    struct meter *m = context;
    uint64_t sent_ns;
    BENCH_CHECK(message.n == BENCH_MESSAGE_LEN);
    memcpy(&sent_ns, message.p, sizeof sent_ns);
    m->received++;
    if (m->samples < SAMPLES_MAX)
        m->latency_ms[m->samples++] = (double)(bench_wall_ns() - sent_ns) / 1e6;
}

static bool send_one(struct bench_link_pair *pair)
{
    static uint64_t number;
    uint8_t message[BENCH_MESSAGE_LEN] = { 0 };
    uint64_t now_ns = bench_wall_ns();
    memcpy(message, &now_ns, sizeof now_ns);
    number++; /* no two are equal: a repetition would not be reported */
    memcpy(message + sizeof now_ns, &number, sizeof number);
    return bench_link_pair_send(pair, reload_slice_of(message, sizeof message));
}

static void saturate(struct bench_link_pair *pair, uint64_t ns)
{
    uint64_t end_ns = bench_wall_ns() + ns;
    while (bench_wall_ns() < end_ns) {
        while (send_one(pair))
            ;
        bench_link_pair_turn(pair, end_ns);
    }
}

static void measure_rate(struct bench_link_pair *pair, uint64_t ns, struct bench_rate *rate)
{
    size_t before = meter.received;
    uint64_t start_ns = bench_wall_ns(), start_cpu_ns = bench_cpu_ns();
    saturate(pair, ns);
    double count = (double)(meter.received - before);
    rate->messages_per_s = count * 1e9 / (double)(bench_wall_ns() - start_ns);
    rate->cpu_us = (double)(bench_cpu_ns() - start_cpu_ns) / count / 1000;
}

static bool is_idle(const struct bench_link_pair *pair)
{
    struct reload_link_info info;
    BENCH_CHECK(reload_links_info(pair->near, pair->link, &info) == 0);
    return info.queued_messages + info.unacked == 0;
}

static void drain(struct bench_link_pair *pair)
{
    uint64_t end_ns = bench_wall_ns() + 20 * SECOND_NS;
    while (!is_idle(pair)) {
        BENCH_CHECK(bench_wall_ns() < end_ns);
        bench_link_pair_turn(pair, end_ns);
    }
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void measure_latency(struct bench_link_pair *pair, uint64_t ns, struct bench_rate *rate)
{
    double per_s = rate->messages_per_s / 2 < 1000 ? rate->messages_per_s / 2 : 1000;
    uint64_t interval_ns = (uint64_t)(1e9 / per_s), end_ns = bench_wall_ns() + ns;
    drain(pair);
    meter.samples = 0;
    for (uint64_t next_ns = bench_wall_ns(); bench_wall_ns() < end_ns;) {
        while (next_ns <= bench_wall_ns() && send_one(pair))
            next_ns += interval_ns;
        bench_link_pair_turn(pair, next_ns < end_ns ? next_ns : end_ns);
    }
    drain(pair);
    BENCH_CHECK(meter.samples > 0);
    rate->samples = meter.samples;
    qsort(meter.latency_ms, meter.samples, sizeof *meter.latency_ms, by_size);
    rate->p50_ms = meter.latency_ms[meter.samples / 2];
    rate->p99_ms = meter.latency_ms[(meter.samples * 99 + 99) / 100 - 1];
}

static void open_pair(struct bench_link_pair *pair, enum bench_link_kind kind,
                      struct bench_party parties[2], bool slow)
{
    bench_link_pair_open(pair, kind, parties, slow ? BENCH_SLOW_NEAR : LOOPBACK);
    pair->received = received;
    pair->context = &meter;
    bench_link_pair_connect(pair, slow ? BENCH_SLOW_FAR : LOOPBACK);
}

struct bench_rate bench_link_rate(enum bench_link_kind kind, struct bench_party parties[2],
                                  unsigned rtt_ms, unsigned seconds)
{
    struct bench_link_pair pair;
    struct bench_rate rate = { 0 };
    bench_slow_path_delay(rtt_ms / 2);
    open_pair(&pair, kind, parties, rtt_ms > 0);
    saturate(&pair, SECOND_NS / 2 + 15 * rtt_ms * UINT64_C(1000000)); /* past its slow start */
    measure_rate(&pair, seconds * SECOND_NS, &rate);
    measure_latency(&pair, seconds * SECOND_NS, &rate);
    bench_link_pair_close(&pair);
    return rate;
}

double bench_tls_against_window(struct bench_party parties[2])
{
    struct bench_link_pair tls, window;
    double ratios[ROUNDS];
    open_pair(&tls, BENCH_LINK_TLS, parties, false);
    open_pair(&window, BENCH_LINK_WINDOW, parties, false);
    saturate(&tls, ROUND_NS);
    saturate(&window, ROUND_NS);
    for (size_t i = 0; i < ROUNDS; i++) {
        struct bench_rate a, b;
        measure_rate(&tls, ROUND_NS, &a);
        measure_rate(&window, ROUND_NS, &b);
        ratios[i] = b.cpu_us / a.cpu_us;
    }
    bench_link_pair_close(&tls);
    bench_link_pair_close(&window);
    qsort(ratios, ROUNDS, sizeof *ratios, by_size);
    return ratios[ROUNDS / 2];
}

double bench_dtls_handshake_ns(struct bench_party parties[2], unsigned handshakes)
{
    struct bench_link_pair pair;
    uint64_t total_ns = 0;
    open_pair(&pair, BENCH_LINK_WINDOW, parties, false); /* warms caches and tables up */
    for (unsigned i = 0; i < handshakes; i++) {
        reload_links_close(pair.near, pair.link, NULL,
                           (struct reload_time){ bench_wall_ns() / 1000000,
                                                 bench_clock_ns(CLOCK_REALTIME) / 1000000 });
        uint64_t start_ns = bench_cpu_ns();
        bench_link_pair_connect(&pair, LOOPBACK);
        total_ns += bench_cpu_ns() - start_ns;
    }
    bench_link_pair_close(&pair);
    return (double)total_ns / handshakes;
}
