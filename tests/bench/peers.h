#ifndef RELOAD_TESTS_BENCH_PEERS_H
#define RELOAD_TESTS_BENCH_PEERS_H

#include <glib.h>

#include "overlay_files.h"
#include "peer/overlay.h"

/* Real peers in this process, one thread and one GLib main context each, on TLS links over
 * loopback. */

#define BENCH_OVERLAY_NAME "bench.example"
#define BENCH_KIND         0xf0000001u /* single value, NODE-MULTIPLE: spreads one node's keys over all */
#define BENCH_MULTIPLE_MAX 255

struct bench_peer {
    struct bench_identity_files files;
    struct reload_overlay *overlay;
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
    uint64_t made_cpu_ns; /* CPU of its thread until it began to join: files, schema, keys */
    enum reload_topology_state state; /* guarded by bench_peers.mutex */
    struct bench_peers *all;
};

struct bench_peers {
    struct bench_files files;
    enum reload_cert_key_type key;
    struct bench_peer *peer;
    size_t count;
    GMutex mutex;
    GCond changed;
};

/* A folder with an overlay and `count` identities; nothing runs yet. */
void bench_peers_create(struct bench_peers *peers, size_t count, enum reload_cert_key_type key,
                        uint32_t max_value_size);
/* Starts peer i with the role: the first one founds the overlay, the others bootstrap from it.
 * Returns when it has joined. */
void bench_peers_start(struct bench_peers *peers, size_t i, enum reload_role role);
/* Waits until every ring is right: each of the first `count` peers has its neighbors in the ring as
 * its nearest predecessor and successor. Ends the program after a minute. */
void bench_peers_settle(struct bench_peers *peers, size_t count);
struct bench_totals { /* over all peers that run, since each began */
    uint64_t links_opened, messages, requests;
};
struct bench_totals bench_peers_totals(struct bench_peers *peers);
/* Runs a function on a peer's thread and waits for it. */
void bench_peer_run(struct bench_peer *peer, void (*function)(struct bench_peer *, void *),
                    void *data);
/* Stops all threads and removes the folder. */
void bench_peers_stop(struct bench_peers *peers);

#endif
