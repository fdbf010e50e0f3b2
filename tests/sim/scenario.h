#ifndef RELOAD_TESTS_SIM_SCENARIO_H
#define RELOAD_TESTS_SIM_SCENARIO_H

#include "tests/sim/check.h"

/* What is made to happen in a world, and what must be so afterwards. */

#define HOPS_MAX 64

struct scenario_report {
    const char *scenario;
    uint64_t seed;
    size_t peers; /* at the start */
    size_t peers_left;
    struct check check; /* at the end */
    size_t stored, found, lost, wrong;
    size_t unsure;         /* newer values whose store had no answer: the older one is right too */
    size_t stale_channels; /* gathered for a link, and forgotten */
    size_t hops[HOPS_MAX]; /* fetches by links crossed to the peer responsible */
    double mean_hops, hops_allowed;  /* 1/2 log2 N + 0.5 */
    uint64_t virtual_ms, settled_ms; /* in all; after the last upset until all was well */
    uint64_t events, messages, hash;
    uint64_t recovered_ms; /* after peers vanished until each value was fetched once */
    size_t retries;        /* fetches that failed meanwhile */
    uint64_t suspects, dropped, retransmitted; /* meanwhile: links, and by all nodes together */
    int64_t join_messages, join_links; /* what the last peer's join cost all nodes together */
    bool ok;
};

struct run;

struct scenario {
    const char *name;
    const char *promise;
    void (*upset)(struct run *run); /* when all have joined and values are stored; NULL: nothing */
    bool joins_at_once;
    bool on_request; /* left out of a run of everything: the promise is not kept yet */
    uint32_t drop_per_million;
    bool datagrams;            /* links of DTLS, whose end nobody is told */
    uint32_t loss_per_million; /* of their datagrams */
    uint32_t delay_max_ms;     /* 0: 80 */
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;
const struct scenario *scenario_find(const char *name);

struct scenario_report scenario_run(const struct scenario *scenario,
                                    const struct reload_topology_ops *topology, uint64_t seed,
                                    size_t peers, bool ice, FILE *log);

#endif
