#include "peer/demo/demo.h"

#include <signal.h>
#include <stdarg.h>

/* The story, and its report. */

bool demo_failed(struct demo *demo, const char *format, ...)
{
    va_list arguments;
    if (demo->failure[0]) /* the first one counts */
        return false;
    va_start(arguments, format);
    g_vsnprintf(demo->failure, sizeof demo->failure, format, arguments);
    va_end(arguments);
    return false;
}

static double seconds(const struct demo *demo)
{
    return (double)(g_get_monotonic_time() - demo->start_us) / G_USEC_PER_SEC;
}

void demo_say(const struct demo *demo, const char *format, ...)
{
    va_list arguments;
    fprintf(demo->tell, "%6.1f s  ", seconds(demo));
    va_start(arguments, format);
    vfprintf(demo->tell, format, arguments);
    va_end(arguments);
    fputc('\n', demo->tell);
    fflush(demo->tell);
}

char *demo_path(const struct demo *demo, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *name = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    char *path = g_build_filename(demo->directory, name, NULL);
    g_free(name);
    return path;
}

/* Two peers at random, the founder included; returns the one to start anew. */
static unsigned kill_two(struct demo *demo)
{
    unsigned first = (unsigned)g_rand_int_range(demo->random, 0, DEMO_PEERS);
    unsigned step = (unsigned)g_rand_int_range(demo->random, 1, DEMO_PEERS);
    unsigned second = (first + step) % DEMO_PEERS;
    demo_kill(demo, first);
    demo_kill(demo, second);
    demo_say(demo, "%s and %s killed", demo->nodes[first].name, demo->nodes[second].name);
    return second;
}

static bool revive(struct demo *demo, unsigned node)
{
    if (!demo_start_node(demo, node))
        return false;
    demo_say(demo, "%s started anew with its identity", demo->nodes[node].name);
    return demo_ring(demo, false);
}

static bool story(struct demo *demo)
{
    if (!demo_setup(demo) || !demo_enroll(demo) || !demo_start_all(demo) || !demo_ring(demo, true))
        return false;
    demo_plan(demo);
    if (!demo_store_all(demo) || !demo_fetch_all(demo, false) || !demo_replicas(demo) ||
        !demo_talk(demo))
        return false;
    unsigned node = kill_two(demo);
    if (!demo_fetch_all(demo, true) || !demo_ring(demo, false) || !revive(demo, node))
        return false;
    if (!demo_leave_all(demo))
        return false;
    demo_say(demo, "everybody left cleanly");
    return true;
}

static json_t *cells(const struct demo *demo)
{
    json_t *array = json_array();
    for (unsigned c = 0; c < DEMO_CELLS; c++) {
        int stored = 0, fetched = 0, after_kill = 0;
        for (unsigned v = 0; v < DEMO_VALUES; v++) {
            const struct demo_value *value = &demo->values[v];
            if (value->cell != c || !value->place)
                continue;
            stored += value->stored;
            fetched += value->fetched;
            after_kill += value->fetched_after_kill;
        }
        json_array_append_new(array,
                              json_pack("{s:s,s:s,s:i,s:i,s:i}", "model", demo_cells[c].model,
                                        "policy", demo_cells[c].policy, "stored", stored, "fetched",
                                        fetched, "fetched_after_kill", after_kill));
    }
    return array;
}

static json_t *call_object(const struct demo_talk *talk)
{
    return json_pack("{s:f,s:I,s:I,s:f,s:f,s:i}", "setup_ms", talk->setup_ms, "frames_sent",
                     (json_int_t)talk->frames_sent, "frames_lost", (json_int_t)talk->frames_lost,
                     "mouth_to_ear_ms", talk->mouth_to_ear_ms, "similarity", talk->similarity,
                     "attempts", (int)talk->attempts);
}

static void report(const struct demo *demo, bool ok)
{
    if (!demo->options.json) {
        if (ok)
            printf("\nAll held: %u values stored, %u fetched, %u fetched after two peers were "
                   "killed, 0 lost, 0 wrong; one call, %.0f %% alike on the far side; in %.1f s.\n",
                   demo->stored, demo->fetched, demo->fetched_after_kill,
                   100 * demo->talk.similarity, seconds(demo));
        return;
    }
    json_t *json = json_pack(
        "{s:b,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:I,s:s,s:I,s:o,s:f}", "ok", ok, "peers", DEMO_PEERS,
        "clients", DEMO_CLIENTS, "stored", demo->stored, "fetched", demo->fetched,
        "fetched_after_kill", demo->fetched_after_kill, "lost", demo->lost, "wrong", demo->wrong,
        "retries", demo->retries, "copies", (json_int_t)demo->replicas, "key",
        demo->options.rsa ? "rsa" : "ec", "seed", (json_int_t)demo->options.seed, "cells",
        cells(demo), "seconds", (double)(int)(seconds(demo) * 10) / 10);
    json_object_set_new(json, "call", call_object(&demo->talk));
    if (!ok)
        json_object_set_new(json, "error", json_string(demo->failure));
    if (demo->options.keep || !ok)
        json_object_set_new(json, "directory", json_string(demo->directory));
    json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(4));
    putchar('\n');
    json_decref(json);
}

int demo_run(const struct demo_options *options)
{
    struct demo *demo = g_new0(struct demo, 1);
    demo->options = *options;
    if (!demo->options.seed)
        demo->options.seed = g_random_int();
    demo->random = g_rand_new_with_seed(demo->options.seed);
    demo->tell = options->json ? stderr : stdout;
    demo->start_us = g_get_monotonic_time();
    signal(SIGPIPE, SIG_IGN);
    bool ok = story(demo);
    if (!ok)
        fprintf(stderr, "reload: demo: %s\nreload: demo: %s is kept for a look; seed %u\n",
                demo->failure, demo->directory ? demo->directory : "nothing", demo->options.seed);
    else if (options->keep)
        demo_say(demo, "%s is kept", demo->directory);
    report(demo, ok);
    demo_tear_down(demo);
    g_free(demo);
    return ok ? 0 : 1;
}
