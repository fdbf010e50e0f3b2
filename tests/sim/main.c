#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/scenario.h"
#include "topology/chord/chord.h"
#include "topology/mesh/mesh.h"

/* Runs scenarios and prints a line, or a JSON object, for each run. Exit code 1 when one failed. */

struct arguments {
    const struct scenario *scenario; /* NULL: all */
    const struct reload_topology_ops *topology;
    size_t peers, seeds;
    uint64_t first_seed;
    bool json, log, twice, ice;
};

static int usage(FILE *out, int code)
{
    fprintf(out, "Usage: reload_sim [--scenario NAME] [--peers N] [--seeds N] [--seed FIRST]\n"
                 "                  [--topology chord|mesh] [--ice] [--twice] [--json] [--log]\n"
                 "--ice makes links by ICE, as far as the core sees it.\n"
                 "--twice runs each seed again and compares every event. Scenarios:\n");
    for (size_t i = 0; i < scenario_count; i++)
        fprintf(out, "  %-10s %s%s\n", scenarios[i].name, scenarios[i].promise,
                scenarios[i].on_request ? " (on request)" : "");
    return code;
}

static void print_json(const struct scenario_report *r)
{
    printf("{\"scenario\":\"%s\",\"seed\":%llu,\"ok\":%s,\"peers\":%zu,\"peers_left\":%zu,"
           "\"ring_errors\":%zu,\"owner_errors\":%zu,\"replica_errors\":%zu,\"stored\":%zu,"
           "\"found\":%zu,\"lost\":%zu,\"wrong\":%zu,\"unsure\":%zu,\"mean_hops\":%.3f,\"hops_"
           "allowed\":%.3f,"
           "\"virtual_s\":%.1f,\"settled_s\":%.1f,\"stale_channels\":%zu,\"events\":%llu,"
           "\"messages\":%llu,"
           "\"recovered_s\":%.1f,\"retries\":%zu,\"suspects\":%llu,\"dropped\":%llu,"
           "\"retransmitted\":%llu,"
           "\"join_messages\":%lld,\"join_links\":%lld,"
           "\"hash\":\"%016llx\",\"why\":\"%s\",\"hops\":[",
           r->scenario, (unsigned long long)r->seed, r->ok ? "true" : "false", r->peers,
           r->peers_left, r->check.ring_errors, r->check.owner_errors, r->check.replica_errors,
           r->stored, r->found, r->lost, r->wrong, r->unsure, r->mean_hops, r->hops_allowed,
           (double)r->virtual_ms / 1000, (double)r->settled_ms / 1000, r->stale_channels,
           (unsigned long long)r->events, (unsigned long long)r->messages,
           (double)r->recovered_ms / 1000, r->retries, (unsigned long long)r->suspects,
           (unsigned long long)r->dropped, (unsigned long long)r->retransmitted,
           (long long)r->join_messages, (long long)r->join_links, (unsigned long long)r->hash,
           r->check.why);
    size_t last = HOPS_MAX;
    while (last > 0 && r->hops[last - 1] == 0)
        last--;
    for (size_t i = 0; i < last; i++)
        printf("%s%zu", i ? "," : "", r->hops[i]);
    printf("]}\n");
}

static void print_text(const struct scenario_report *r)
{
    printf("%-9s seed %-4llu %s  %zu peers, %zu left; stored %zu, found %zu, lost %zu, wrong %zu; "
           "hops %.2f (at most %.2f); settled after %.0f s of %.0f s; %llu messages\n",
           r->scenario, (unsigned long long)r->seed, r->ok ? "ok    " : "FAILED", r->peers,
           r->peers_left, r->stored, r->found, r->lost, r->wrong, r->mean_hops, r->hops_allowed,
           (double)r->settled_ms / 1000, (double)r->virtual_ms / 1000,
           (unsigned long long)r->messages);
    if (r->recovered_ms)
        printf(
            "          all found again after %.1f s, %zu fetches failed; %llu links looked dead, "
            "%llu messages dropped, %llu sent again\n",
            (double)r->recovered_ms / 1000, r->retries, (unsigned long long)r->suspects,
            (unsigned long long)r->dropped, (unsigned long long)r->retransmitted);
    if (r->check.why[0])
        printf("          %s (ring %zu, owners %zu, replicas %zu)\n", r->check.why,
               r->check.ring_errors, r->check.owner_errors, r->check.replica_errors);
}

static bool run_one(const struct arguments *a, const struct scenario *scenario, uint64_t seed)
{
    FILE *log = a->log ? stderr : NULL;
    struct scenario_report r = scenario_run(scenario, a->topology, seed, a->peers, a->ice, log);
    if (a->twice) {
        struct scenario_report again =
            scenario_run(scenario, a->topology, seed, a->peers, a->ice, log);
        if (again.hash != r.hash) {
            r.ok = false;
            snprintf(r.check.why, sizeof r.check.why, "a second run of the seed went otherwise");
        }
    }
    if (a->json)
        print_json(&r);
    else
        print_text(&r);
    fflush(stdout);
    return r.ok;
}

static bool parse(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {
        { "scenario", required_argument, NULL, 's' },
        { "peers", required_argument, NULL, 'n' },
        { "seeds", required_argument, NULL, 'c' },
        { "seed", required_argument, NULL, 'f' },
        { "topology", required_argument, NULL, 't' },
        { "twice", no_argument, NULL, '2' },
        { "json", no_argument, NULL, 'j' },
        { "log", no_argument, NULL, 'l' },
        { "ice", no_argument, NULL, 'i' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 's':
            a->scenario = scenario_find(optarg);
            if (!a->scenario && strcmp(optarg, "all") != 0)
                return false;
            break;
        case 'n': a->peers = strtoul(optarg, NULL, 10); break;
        case 'c': a->seeds = strtoul(optarg, NULL, 10); break;
        case 'f': a->first_seed = strtoull(optarg, NULL, 10); break;
        case 't':
            if (strcmp(optarg, "mesh") == 0)
                a->topology = &reload_mesh_ops;
            else if (strcmp(optarg, "chord") != 0)
                return false;
            break;
        case '2': a->twice = true; break;
        case 'j': a->json = true; break;
        case 'i': a->ice = true; break;
        case 'l': a->log = true; break;
        case 'h': exit(usage(stdout, 0));
        default: return false;
        }
    }
    return optind == argc && a->peers > 0 && a->peers < 100000;
}

int main(int argc, char **argv)
{
    struct arguments a = {
        .topology = &reload_chord_ops, .peers = 32, .seeds = 1, .first_seed = 1
    };
    if (!parse(argc, argv, &a))
        return usage(stderr, 2);
    size_t failed = 0;
    for (size_t i = 0; i < scenario_count; i++)
        for (uint64_t seed = a.first_seed; seed < a.first_seed + a.seeds; seed++)
            if (a.scenario ? a.scenario == &scenarios[i] : !scenarios[i].on_request)
                failed += !run_one(&a, &scenarios[i], seed);
    return failed ? 1 : 0;
}
