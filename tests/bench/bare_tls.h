#ifndef RELOAD_TESTS_BENCH_BARE_TLS_H
#define RELOAD_TESTS_BENCH_BARE_TLS_H

/* What OpenSSL alone costs, for ratios: mutual TLS 1.3 handshakes over loopback TCP, both ends in
 * this thread, certificates checked against a CA by OpenSSL itself, one byte each way at the end so
 * that both sides are known to be up. Returns the CPU time of one (both ends), in nanoseconds. */
double bench_bare_handshake_ns(const char *certificate, const char *key, const char *ca,
                               unsigned handshakes);
/* The same for DTLS 1.2 over loopback UDP, without a cookie. */
double bench_bare_datagram_handshake_ns(const char *certificate, const char *key, const char *ca,
                                        unsigned handshakes);

/* The CPU time of one signature and of one verification of 600 bytes with that key, by OpenSSL
 * alone. */
struct bench_crypto_cost {
    double sign_ns, verify_ns;
};
struct bench_crypto_cost bench_bare_crypto(const char *key, unsigned rounds);

#endif
