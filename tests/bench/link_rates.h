#ifndef RELOAD_TESTS_BENCH_LINK_RATES_H
#define RELOAD_TESTS_BENCH_LINK_RATES_H

#include "link_pair.h"

/* What one link carries in one direction, in messages of 1 KB. */

#define BENCH_MESSAGE_LEN 1024

struct bench_rate {
    double messages_per_s; /* with the link's queue always full */
    double cpu_us;         /* of both ends, for each message of that */
    double p50_ms, p99_ms; /* from send to arrival, at half that rate but at most 1000/s */
    size_t samples;        /* of these */
};

/* One link of a kind over the path of `rtt_ms` from listen to dial, `seconds` for the rate and as
 * long for the latency. */
struct bench_rate bench_link_rate(enum bench_link_kind kind, struct bench_party parties[2],
                                  unsigned rtt_ms, unsigned seconds);

/* TLS against the DTLS window on loopback, taking turns so that both meet the same machine: how
 * many times as many messages TLS carries, the median of several rounds. */
double bench_tls_against_window(struct bench_party parties[2]);

/* CPU of one DTLS handshake, both ends, from the dialled socket to UP. */
double bench_dtls_handshake_ns(struct bench_party parties[2], unsigned handshakes);

#endif
