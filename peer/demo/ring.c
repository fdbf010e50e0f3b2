#include <stdlib.h>
#include <string.h>

#include "peer/demo/demo.h"
#include "peer/json.h"
#include "peer/ring_text.h"

/* Is the ring right, and are the replicas there? */

#define WAIT_US      (30 * G_USEC_PER_SEC)
#define PAUSE_US     200000
#define COPIES       3                /* the responsible peer's and two replicas, RFC 6940 s10.4 */
#define CERTIFICATES (2 * DEMO_NODES) /* each node stores its own by Node-ID and by user, s8 */

static bool alive(const struct demo *demo, unsigned i)
{
    return !demo->nodes[i].client && demo->nodes[i].control;
}

static unsigned count_alive(const struct demo *demo)
{
    unsigned n = 0;
    for (unsigned i = 0; i < DEMO_PEERS; i++)
        n += alive(demo, i);
    return n;
}

/* Does a walk from this peer meet each living peer once, and nobody else? */
static bool whole(const struct demo *demo, const json_t *answer)
{
    const json_t *members = json_object_get(answer, "members"), *member;
    size_t m;
    unsigned met = 0;
    if (!json_is_true(json_object_get(answer, "complete")))
        return false;
    for (unsigned i = 0; i < DEMO_PEERS; i++)
        json_array_foreach(members, m, member) met +=
            alive(demo, i) && strcmp(json_string_value(member), demo->nodes[i].id) == 0;
    return met == count_alive(demo) && json_array_size(members) == met;
}

static void draw(const struct demo *demo)
{
    struct reload_ring_member members[DEMO_PEERS];
    size_t count = 0;
    for (unsigned i = 0; i < DEMO_PEERS; i++)
        if (alive(demo, i) && reload_node_id_read(demo->nodes[i].id, &members[count].id) == 0)
            members[count++].note = demo->nodes[i].name;
    reload_ring_sort(members, count);
    char *text = reload_ring_draw(members, count);
    fprintf(demo->tell, "\n%s\n", text ? text : "");
    free(text);
}

bool demo_ring(struct demo *demo, bool show)
{
    gint64 deadline = g_get_monotonic_time() + WAIT_US;
    unsigned right = 0;
    while (right < DEMO_PEERS && g_get_monotonic_time() < deadline) {
        json_t *answer;
        for (right = 0; right < DEMO_PEERS; right++) {
            if (!alive(demo, right))
                continue;
            if (!demo_call(demo, right, json_pack("{s:s,s:b}", "verb", "ring", "walk", 1), &answer))
                return false;
            bool ok = whole(demo, answer);
            json_decref(answer);
            if (!ok)
                break;
        }
        if (right < DEMO_PEERS)
            g_usleep(PAUSE_US);
    }
    if (right < DEMO_PEERS)
        return demo_failed(demo, "the ring as %s sees it is not whole after %d s",
                           demo->nodes[right].name, (int)(WAIT_US / G_USEC_PER_SEC));
    demo_say(demo, "one ring of %u peers, as each of them sees it", count_alive(demo));
    if (show)
        draw(demo);
    return true;
}

/* Values held by all peers together; -1 when one does not answer. */
static long long count_values(struct demo *demo)
{
    long long sum = 0;
    for (unsigned i = 0; i < DEMO_PEERS; i++) {
        json_t *answer;
        if (!alive(demo, i))
            continue;
        if (!demo_call(demo, i, json_pack("{s:s}", "verb", "status"), &answer))
            return -1;
        sum += json_integer_value(json_object_get(json_object_get(answer, "store"), "values"));
        json_decref(answer);
    }
    return sum;
}

bool demo_replicas(struct demo *demo)
{
    gint64 deadline = g_get_monotonic_time() + WAIT_US;
    long long count = count_values(demo), before = -1;
    while (count >= 0 && (count < COPIES * (DEMO_VALUES + CERTIFICATES) || count != before)) {
        if (g_get_monotonic_time() > deadline)
            return demo_failed(demo,
                               "%lld copies of %d values and certificates: replicas are missing",
                               count, DEMO_VALUES + CERTIFICATES);
        before = count;
        g_usleep(PAUSE_US);
        count = count_values(demo);
    }
    if (count < 0)
        return false;
    demo->replicas = (size_t)count;
    demo_say(demo, "%lld copies in place, the nodes' certificates among them", count);
    return true;
}
