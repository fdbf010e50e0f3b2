#include "tests/sim/scenario.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KIND             RELOAD_STANDIN_SINGLE_MULTIPLE
#define VALUES_PER_PEER  2
#define JOIN_PATIENCE_MS 300000   /* for one peer */
#define JOIN_REST_MS     20000    /* what a join set off has settled */
#define AT_ONCE_MS       3600000  /* for all */
#define CALM_MS          120000   /* before values are stored */
#define REST_MS          10800000 /* three hours: a dozen stabilization rounds */
#define LOOK_EVERY_MS    10000
#define ANSWER_MS        60000
#define RETRY_MS         300
#define SMALL_RING       16

struct value { /* one stored value */
    struct stored_key key;
    uint32_t owner;            /* the peer that wrote it */
    char text[40], before[40]; /* what it is, and was: both are right when a store had no answer */
    bool removed;              /* the text is an empty value's */
    bool stored, answered;
    bool asked, recovered; /* of the fetches right after peers vanished */
};

struct run {
    struct world *world;
    size_t peers;
    struct value *values;
    size_t value_count;
    struct scenario_report *report;
    enum { STORING, FETCHING, RECOVERING } doing;
};

/* --- joining --- */

static void join_one(struct world *w, size_t place)
{
    uint64_t until = world_now(w) + JOIN_PATIENCE_MS;
    world_start(w, place);
    world_join(w, place, place == 0);
    while (!world_is_joined(w, place) && world_now(w) < until)
        world_run(w, world_now(w) + 100);
}

/* The last one joins a ring at rest, so that what it costs can be counted: what happens within a
 * while, less what happens in such a while anyhow. */
static void join_one_by_one(struct world *w, size_t peers, struct scenario_report *report)
{
    for (size_t i = 0; i + 1 < peers; i++)
        join_one(w, i);
    world_run(w, world_now(w) + JOIN_REST_MS);
    int64_t messages[3], links[3];
    for (size_t i = 0; i < 3; i++) {
        uint64_t until = world_now(w) + JOIN_REST_MS;
        messages[i] = (int64_t)world_messages(w);
        links[i] = (int64_t)world_links(w);
        if (i == 1)
            join_one(w, peers - 1);
        if (i < 2 && until > world_now(w))
            world_run(w, until);
    }
    report->join_messages = messages[2] - 2 * messages[1] + messages[0];
    report->join_links = links[2] - 2 * links[1] + links[0];
}

static void join_at_once(struct world *w, size_t peers)
{
    world_start(w, 0);
    world_join(w, 0, true);
    world_run(w, world_now(w) + 1000);
    for (size_t i = 1; i < peers; i++) {
        world_start(w, i);
        world_join(w, i, false);
    }
    uint64_t until = world_now(w) + AT_ONCE_MS;
    while (world_joined_count(w) < peers && world_now(w) < until)
        world_run(w, world_now(w) + 1000);
}

/* --- values --- */

static bool is_text(struct reload_slice value, const char *text)
{
    return reload_slice_equal(value, reload_slice_of(text, strlen(text)));
}

static void on_done(void *context, const struct world_result *r)
{
    struct run *run = context;
    struct value *v = &run->values[r->tag];
    if (run->doing == STORING) {
        v->stored |= r->result->error == 0;
        if (r->result->error == 0)
            v->before[0] = 0;
        return;
    }
    struct scenario_report *report = run->report;
    const struct reload_fetched_value *got = r->result->value_count ? &r->result->values[0] : NULL;
    bool exists = got && got->exists;
    if (run->doing == RECOVERING) {
        v->asked = false;
        v->recovered = !r->result->error && exists && is_text(got->value, v->text);
        report->retries += !v->recovered;
        return;
    }
    v->answered = true;
    if (r->result->error || (!exists && !v->removed)) {
        report->lost++;
        return;
    }
    bool right = v->removed ? !exists : is_text(got->value, v->text);
    if (!right && !(exists && v->before[0] && is_text(got->value, v->before))) {
        report->wrong++;
        return;
    }
    report->found++;
    report->hops[r->result->hops < HOPS_MAX ? r->result->hops : HOPS_MAX - 1]++;
}

static void make_value(struct run *run, struct value *v, uint32_t owner, uint8_t i)
{
    uint8_t name[17];
    size_t len;
    memcpy(name, world_node_id(run->world, owner)->bytes, 16);
    name[16] = i;
    v->owner = owner;
    v->key.kind = KIND;
    snprintf(v->text, sizeof v->text, "value %u of peer %u", i, owner);
    if (reload_node_resource_id(world_node(run->world, owner), reload_slice_of(name, sizeof name),
                                v->key.resource, &len))
        abort();
}

static void store_value(struct run *run, struct value *v)
{
    const struct reload_store_item item = {
        .kind = KIND,
        .exists = !v->removed,
        .value = reload_slice_of(v->text, v->removed ? 0 : strlen(v->text)),
        .lifetime_s = 7 * 86400,
    };
    world_store(run->world, v->owner, reload_slice_of(v->key.resource, 16), &item,
                (uint64_t)(v - run->values));
}

static void store_all(struct run *run)
{
    run->value_count = run->peers * VALUES_PER_PEER;
    run->values = calloc(run->value_count, sizeof *run->values);
    run->doing = STORING;
    for (size_t n = 0; n < run->value_count; n++) {
        struct value *v = &run->values[n];
        make_value(run, v, (uint32_t)(n / VALUES_PER_PEER), (uint8_t)(n % VALUES_PER_PEER));
        if (world_is_joined(run->world, v->owner))
            store_value(run, v);
    }
    world_run(run->world, world_now(run->world) + ANSWER_MS);
    for (size_t n = 0; n < run->value_count; n++)
        run->report->stored += run->values[n].stored;
}

/* Some of the owners write anew, or remove; everybody must find that from now on. */
static void store_some_again(struct run *run)
{
    for (size_t n = 0; n < run->value_count; n++) {
        struct value *v = &run->values[n];
        if (world_random(run->world) % 2 || !world_is_joined(run->world, v->owner))
            continue;
        memcpy(v->before, v->text, sizeof v->before);
        snprintf(v->text, sizeof v->text, "newer value of peer %u", v->owner);
        v->removed = world_random(run->world) % 3 == 0;
        store_value(run, v);
    }
    world_run(run->world, world_now(run->world) + ANSWER_MS);
    for (size_t n = 0; n < run->value_count; n++)
        run->report->unsure += run->values[n].before[0] != 0;
}

static uint32_t random_joined(struct run *run)
{
    for (;;) {
        uint32_t place = (uint32_t)(world_random(run->world) % run->peers);
        if (world_is_joined(run->world, place))
            return place;
    }
}

/* Each value, from a random peer. */
static void fetch_all(struct run *run)
{
    run->doing = FETCHING;
    for (size_t n = 0; n < run->value_count; n++) {
        struct value *v = &run->values[n];
        if (v->stored && !world_fetch(run->world, random_joined(run),
                                      reload_slice_of(v->key.resource, 16), KIND, n)) {
            v->answered = true;
            run->report->lost++;
        }
    }
    world_run(run->world, world_now(run->world) + ANSWER_MS);
    for (size_t n = 0; n < run->value_count; n++)
        if (run->values[n].stored && !run->values[n].answered)
            run->report->lost++;
}

/* --- rest --- */

static struct check look(const struct run *run)
{
    struct stored_key *keys = calloc(run->value_count + 1, sizeof *keys);
    size_t count = 0;
    for (size_t n = 0; n < run->value_count; n++)
        if (run->values[n].stored)
            keys[count++] = run->values[n].key;
    struct check c = world_check(run->world, run->peers, keys, count);
    free(keys);
    return c;
}

/* Until all is well, or patience ends. */
static void rest(struct run *run)
{
    uint64_t from = world_now(run->world);
    do {
        world_run(run->world, world_now(run->world) + LOOK_EVERY_MS);
        run->report->check = look(run);
    } while (!check_is_good(&run->report->check) && world_now(run->world) < from + REST_MS);
    run->report->settled_ms = world_now(run->world) - from;
}

/* --- upsets --- */

/* One of `part` peers, at random, but never all three that hold a value: nothing could bring that
 * back. Half of them vanish with their machine, half as a process. */
static size_t choose(struct world *w, size_t peers, size_t part, uint32_t *out)
{
    uint32_t *ring = calloc(peers, sizeof *ring);
    bool *gone = calloc(peers, sizeof *gone);
    size_t n = world_ring(w, peers, ring), wanted = (n + part - 1) / part, count = 0;
    for (size_t tries = 0; count < wanted && tries < 100 * n && n > 3; tries++) {
        size_t at = (size_t)(world_random(w) % n);
        bool spared = gone[at];
        for (size_t first = at + n - 2; first <= at + n; first++) {
            size_t others = 0;
            for (size_t i = first; i < first + 3; i++)
                others += i % n != at && gone[i % n];
            spared |= others == 2;
        }
        if (spared)
            continue;
        gone[at] = true;
        out[count++] = ring[at];
    }
    free(ring);
    free(gone);
    return count;
}

static size_t kill_part(struct run *run, size_t part, uint32_t *chosen)
{
    size_t count = choose(run->world, run->peers, part, chosen);
    for (size_t i = 0; i < count; i++)
        world_kill(run->world, chosen[i], i % 2 == 0);
    return count;
}

static void kill_tenth(struct run *run)
{
    uint32_t *chosen = calloc(run->peers, sizeof *chosen);
    kill_part(run, 10, chosen);
    free(chosen);
}

struct sums { /* over all nodes that live */
    uint64_t dropped, retransmitted;
};

static struct sums sum_counters(const struct run *run)
{
    struct sums sums = { 0 };
    for (size_t i = 0; i < run->peers; i++) {
        if (!world_is_alive(run->world, i))
            continue;
        const struct reload_node_counters *c = reload_node_counters(world_node(run->world, i));
        sums.retransmitted += c->retransmitted;
        for (size_t reason = 0; reason < RELOAD_DROP_COUNT; reason++)
            sums.dropped += c->dropped[reason];
    }
    return sums;
}

/* Fetches what was not found yet, each from a random peer. Returns how many values are left. */
static size_t fetch_missing(struct run *run)
{
    size_t left = 0;
    for (size_t n = 0; n < run->value_count; n++) {
        struct value *v = &run->values[n];
        if (!v->stored || v->recovered)
            continue;
        left++;
        if (!v->asked)
            v->asked = world_fetch(run->world, random_joined(run),
                                   reload_slice_of(v->key.resource, 16), KIND, n);
    }
    return left;
}

/* A quarter of the peers are gone at once, and everybody goes on fetching. */
static void vanish(struct run *run)
{
    struct world *w = run->world;
    uint32_t *chosen = calloc(run->peers, sizeof *chosen);
    kill_part(run, 4, chosen);
    free(chosen);
    uint64_t from = world_now(w), suspects = world_suspects(w);
    struct sums before = sum_counters(run);
    run->doing = RECOVERING;
    while (fetch_missing(run) > 0 && world_now(w) < from + REST_MS)
        world_run(w, world_now(w) + RETRY_MS);
    struct sums after = sum_counters(run);
    run->report->recovered_ms = world_now(w) - from;
    run->report->suspects = world_suspects(w) - suspects;
    run->report->dropped = after.dropped - before.dropped;
    run->report->retransmitted = after.retransmitted - before.retransmitted;
}

static void restart_tenth(struct run *run)
{
    struct world *w = run->world;
    uint32_t *chosen = calloc(run->peers, sizeof *chosen);
    size_t count = kill_part(run, 10, chosen);
    world_run(w, world_now(w) + 60000);
    for (size_t i = 0; i < count; i++) {
        world_start(w, chosen[i]);
        world_join(w, chosen[i], false);
    }
    free(chosen);
}

static void leave_tenth(struct run *run)
{
    struct world *w = run->world;
    uint32_t *chosen = calloc(run->peers, sizeof *chosen);
    size_t count = choose(w, run->peers, 10, chosen);
    for (size_t i = 0; i < count; i++)
        world_leave(w, chosen[i]);
    world_run(w, world_now(w) + 30000);
    for (size_t i = 0; i < count; i++)
        world_kill(w, chosen[i], true);
    free(chosen);
}

/* A quarter of the peers on one side. */
static void cut(struct run *run)
{
    uint8_t *groups = calloc(run->peers, 1);
    for (size_t i = 0; i < run->peers; i++)
        groups[i] = world_random(run->world) % 4 == 0;
    world_partition(run->world, groups);
    world_run(run->world, world_now(run->world) + 300000);
    free(groups);
}

static void cut_and_heal(struct run *run)
{
    cut(run);
    world_partition(run->world, NULL);
}

/* R6940-7.4.1.1-26 R6940-7.4.1.1-27: what was written on either side meanwhile is what counts. */
static void cut_write_and_heal(struct run *run)
{
    cut(run);
    store_some_again(run);
    world_partition(run->world, NULL);
}

/* --- churn --- */

#define CHURN_EVERY_MS 30000
#define CHURN_TIMES    120
#define CHURN_QUIET_MS                                                                             \
    300000 /* what a neighborhood gets to recover: detection, hold-down, replicas */

/* The joined peer to die next: a random one in whose neighborhood nothing has happened for a while,
 * since nothing could save a value whose three holders go faster than copies are made. */
static bool choose_quiet(struct run *run, const uint32_t *order, const uint64_t *upset_ms,
                         uint32_t *out)
{
    for (size_t tries = 0; tries < 100; tries++) {
        size_t at = (size_t)(world_random(run->world) % run->peers);
        bool quiet = world_is_joined(run->world, order[at]);
        for (size_t i = at + run->peers - 3; i <= at + run->peers + 3; i++) {
            uint64_t last = upset_ms[order[i % run->peers]];
            quiet &= last == 0 || last + CHURN_QUIET_MS < world_now(run->world);
        }
        if (quiet) {
            *out = order[at];
            return true;
        }
    }
    return false;
}

static void come_back(struct run *run, uint32_t place, uint64_t *upset_ms)
{
    world_start(run->world, place);
    world_join(run->world, place, false);
    upset_ms[place] = world_now(run->world);
}

/* An hour in which every half minute a peer dies and another, which died before, comes back. */
static void churn(struct run *run)
{
    struct world *w = run->world;
    uint32_t *order = calloc(run->peers, sizeof *order), dead[4];
    uint64_t *upset_ms = calloc(run->peers, sizeof *upset_ms);
    size_t count = 0;
    world_ring(w, run->peers, order); /* all have joined */
    for (int i = 0; i < CHURN_TIMES && run->peers >= 7; i++) {
        if (choose_quiet(run, order, upset_ms, &dead[count])) {
            upset_ms[dead[count]] = world_now(w);
            world_kill(w, dead[count++], i % 2 == 0);
        }
        world_run(w, world_now(w) + CHURN_EVERY_MS);
        if (count < 4)
            continue;
        come_back(run, dead[0], upset_ms);
        memmove(dead, dead + 1, sizeof dead - sizeof dead[0]);
        count--;
    }
    while (count > 0)
        come_back(run, dead[--count], upset_ms);
    free(order);
    free(upset_ms);
}

const struct scenario scenarios[] = {
    { .name = "join", .promise = "peers that join one after another form one ring" },
    { .name = "at-once",
      .promise = "peers that join all at once form one ring",
      .joins_at_once = true },
    { .name = "kill", .promise = "a tenth killed at once loses no value", .upset = kill_tenth },
    { .name = "restart",
      .promise = "a tenth killed and started again finds its place and its data",
      .upset = restart_tenth },
    { .name = "leave",
      .promise = "a tenth that leaves takes no value along",
      .upset = leave_tenth },
    { .name = "partition",
      .promise = "two rings become one when the cut heals",
      .upset = cut_and_heal },
    { .name = "merge",
      .promise = "values written during a cut are the ones found after it",
      .upset = cut_write_and_heal },
    { .name = "churn",
      .promise = "an hour of peers that die and come back loses no value",
      .upset = churn },
    { .name = "loss",
      .promise = "messages lost by peers on the way are sent again",
      .drop_per_million = 10000 },
    { .name = "vanish",
      .promise = "a quarter gone without a word makes no fetch fail",
      .upset = vanish,
      .datagrams = true,
      .delay_max_ms = 10 },
    { .name = "lossy",
      .promise = "a fifth of all datagrams and acks lost costs no value and no neighbour",
      .datagrams = true,
      .loss_per_million = 200000 },
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];

const struct scenario *scenario_find(const char *name)
{
    for (size_t i = 0; i < scenario_count; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
}

/* --- a run --- */

static void conclude(struct run *run)
{
    struct scenario_report *r = run->report;
    size_t links = 0, fetches = 0;
    for (size_t i = 0; i < HOPS_MAX; i++) {
        links += i * r->hops[i];
        fetches += r->hops[i];
    }
    r->peers_left = r->check.peers;
    r->mean_hops = fetches ? (double)links / (double)fetches : 0;
    /* The smaller the ring, the more the last link counts: s10.3 goes to the peer before the owner
     * first, even where everybody is linked to everybody. */
    size_t n = r->peers_left < SMALL_RING ? SMALL_RING : r->peers_left;
    r->hops_allowed = log2((double)n) / 2 + 0.5;
    r->virtual_ms = world_now(run->world);
    r->events = world_events(run->world);
    r->messages = world_messages(run->world);
    r->hash = world_hash(run->world);
    r->stale_channels = world_stale_channels(run->world);
    r->ok = check_is_good(&r->check) && r->stale_channels == 0 && r->stored == run->value_count &&
            r->lost == 0 && r->wrong == 0 && r->found == r->stored &&
            r->mean_hops <= r->hops_allowed && r->retries == 0;
}

struct scenario_report scenario_run(const struct scenario *scenario,
                                    const struct reload_topology_ops *topology, uint64_t seed,
                                    size_t peers, bool ice, FILE *log)
{
    const struct world_options options = {
        .seed = seed,
        .nodes = peers,
        .topology = topology,
        .delay_min_ms = 5,
        .delay_max_ms = scenario->delay_max_ms ? scenario->delay_max_ms : 80,
        .datagrams = scenario->datagrams,
        .loss_per_million = scenario->loss_per_million,
        .drop_per_million = scenario->drop_per_million,
        .clock_skew_ms = 1500,
        .ice = ice,
        .persist = seed % 2 == 0,
        .log = log,
    };
    struct scenario_report report = { .scenario = scenario->name, .seed = seed, .peers = peers };
    struct run run = { .world = world_new(&options), .peers = peers, .report = &report };
    world_on_done(run.world, on_done, &run);
    if (scenario->joins_at_once)
        join_at_once(run.world, peers);
    else
        join_one_by_one(run.world, peers, &report);
    rest(&run);
    world_run(run.world, world_now(run.world) + CALM_MS);
    store_all(&run);
    rest(&run);
    if (scenario->upset) {
        scenario->upset(&run);
        rest(&run);
        world_run(run.world, world_now(run.world) + CALM_MS);
    }
    fetch_all(&run);
    conclude(&run);
    free(run.values);
    world_free(run.world);
    return report;
}
