#include <string.h>

#include "peer/demo/demo.h"

/* Storing and fetching: a round of requests goes out to all nodes at once, and what failed is tried
 * again in the next round, until time is up. */

#define ANSWER_MS 40000 /* a request of the overlay ends after 15 s */
#define PAUSE_US  300000
#define ROUNDS_US (40 * G_USEC_PER_SEC)

enum verdict { DONE, AGAIN, WRONG };

struct round {
    const char *verb;
    bool (*pending)(const struct demo_value *value);
    enum verdict (*judge)(const struct demo *demo, struct demo_value *value, const json_t *answer);
};

static unsigned choose_node(struct demo *demo, const struct demo_value *value, bool owner)
{
    unsigned node = value->owner;
    while (!owner && (node == value->owner || !demo->nodes[node].control))
        node = (unsigned)g_rand_int_range(demo->random, 0, DEMO_NODES);
    return node;
}

static bool send_value(struct demo *demo, const struct round *round, unsigned v, unsigned *node)
{
    const struct demo_value *value = &demo->values[v];
    bool store = strcmp(round->verb, "store") == 0;
    json_t *request = json_copy(value->place);
    json_object_set_new(request, "verb", json_string(round->verb));
    json_object_set_new(request, "id", json_integer(v));
    if (store)
        json_object_set_new(request, "value", json_string(value->text));
    *node = choose_node(demo, value, store);
    return reload_control_client_send(demo->nodes[*node].control, request) == 0 ||
           demo_failed(demo, "%s ended unexpectedly", demo->nodes[*node].name);
}

static bool take_answer(struct demo *demo, const struct round *round, unsigned node, unsigned *left,
                        char *last_error, size_t cap)
{
    json_t *answer;
    if (reload_control_client_next(demo->nodes[node].control, ANSWER_MS, &answer))
        return demo_failed(demo, "%s does not answer", demo->nodes[node].name);
    size_t v = (size_t)json_integer_value(json_object_get(answer, "id"));
    const char *error = json_string_value(json_object_get(answer, "error"));
    if (v < DEMO_VALUES) {
        enum verdict verdict = round->judge(demo, &demo->values[v], answer);
        *left += verdict != DONE;
        demo->wrong += verdict == WRONG;
        if (verdict != DONE)
            g_snprintf(last_error, cap, "%s: %s", demo->values[v].text,
                       error ? error : "another value came, or none");
    }
    json_decref(answer);
    return true;
}

/* One round; *left: how many values are still pending. */
static bool run_round(struct demo *demo, const struct round *round, unsigned *left,
                      char *last_error, size_t cap)
{
    unsigned sent[DEMO_NODES] = { 0 }, node;
    for (unsigned v = 0; v < DEMO_VALUES; v++) {
        if (!round->pending(&demo->values[v]))
            continue;
        if (!send_value(demo, round, v, &node))
            return false;
        sent[node]++;
    }
    *left = 0;
    for (node = 0; node < DEMO_NODES; node++)
        for (; sent[node] > 0; sent[node]--)
            if (!take_answer(demo, round, node, left, last_error, cap))
                return false;
    return true;
}

static bool run_rounds(struct demo *demo, const struct round *round, char *last_error, size_t cap)
{
    gint64 deadline = g_get_monotonic_time() + ROUNDS_US;
    unsigned left;
    for (;;) {
        if (!run_round(demo, round, &left, last_error, cap))
            return false;
        if (left == 0 || demo->wrong || g_get_monotonic_time() > deadline)
            return true;
        demo->retries += left;
        g_usleep(PAUSE_US);
    }
}

/* --- store --- */

static bool not_stored(const struct demo_value *value)
{
    return !value->stored;
}

static enum verdict judge_store(const struct demo *demo, struct demo_value *value,
                                const json_t *answer)
{
    (void)demo;
    value->stored = json_is_true(json_object_get(answer, "ok"));
    return value->stored ? DONE : AGAIN;
}

bool demo_store_all(struct demo *demo)
{
    const struct round round = { "store", not_stored, judge_store };
    char last_error[300] = "";
    bool ok = run_rounds(demo, &round, last_error, sizeof last_error);
    for (unsigned v = 0; v < DEMO_VALUES; v++)
        demo->stored += demo->values[v].stored;
    if (ok && demo->stored < DEMO_VALUES)
        ok = demo_failed(demo, "%u of %d values stored; the last failure: %s", demo->stored,
                         DEMO_VALUES, last_error);
    if (ok)
        demo_say(demo, "%u values stored from %d nodes", demo->stored, DEMO_NODES);
    return ok;
}

/* --- fetch --- */

static bool not_fetched(const struct demo_value *value)
{
    return value->stored && !value->fetched;
}

static bool not_fetched_again(const struct demo_value *value)
{
    return value->stored && !value->fetched_after_kill;
}

static bool existing(const json_t *v)
{
    return json_is_true(json_object_get(v, "exists"));
}

/* The text and the signer must be right; exactly one value was asked for. */
static enum verdict judge_fetch(const struct demo *demo, const struct demo_value *value,
                                const json_t *answer)
{
    const json_t *values = json_object_get(answer, "values"), *v = json_array_get(values, 0);
    if (!json_is_true(json_object_get(answer, "ok")) || !existing(v))
        return AGAIN; /* lost, if it stays so */
    const char *text = json_string_value(json_object_get(json_object_get(v, "value"), "text"));
    const char *signer = json_string_value(json_object_get(v, "signer"));
    bool right = json_array_size(values) == 1 && text && strcmp(text, value->text) == 0 && signer &&
                 strcmp(signer, demo->nodes[value->owner].id) == 0 &&
                 json_integer_value(json_object_get(answer, "rejected")) == 0;
    return right ? DONE : WRONG;
}

static enum verdict judge_first(const struct demo *demo, struct demo_value *value,
                                const json_t *answer)
{
    enum verdict verdict = judge_fetch(demo, value, answer);
    value->fetched = verdict == DONE;
    return verdict;
}

static enum verdict judge_again(const struct demo *demo, struct demo_value *value,
                                const json_t *answer)
{
    enum verdict verdict = judge_fetch(demo, value, answer);
    value->fetched_after_kill = verdict == DONE;
    return verdict;
}

bool demo_fetch_all(struct demo *demo, bool after_kill)
{
    const struct round first = { "fetch", not_fetched, judge_first };
    const struct round again = { "fetch", not_fetched_again, judge_again };
    char last_error[300] = "";
    bool ok = run_rounds(demo, after_kill ? &again : &first, last_error, sizeof last_error);
    unsigned *count = after_kill ? &demo->fetched_after_kill : &demo->fetched;
    for (unsigned v = 0; v < DEMO_VALUES; v++)
        *count += after_kill ? demo->values[v].fetched_after_kill : demo->values[v].fetched;
    demo->lost += demo->stored - *count;
    if (ok && (*count < DEMO_VALUES || demo->wrong))
        ok = demo_failed(demo, "%u of %u values fetched, %u wrong; the last failure: %s", *count,
                         demo->stored, demo->wrong, last_error);
    if (ok)
        demo_say(demo, "%u values fetched from other nodes, signatures and contents right", *count);
    return ok;
}
