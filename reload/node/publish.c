#include "reload/node/state.h"

#include "reload/alloc.h"
#include "reload/wire/fetch.h"

/* The Certificate Store Usage (RFC 6940 s8): the own certificate, by Node-ID and by user name. Each
 * is fetched first, to renew the entry that holds this certificate, or else to append one; and
 * again before its lifetime ends. */

#define KIND_BY_NODE   0x3u
#define KIND_BY_USER   0x10u
#define LIFETIME_S     86400u
#define RETRY_MS       30000u
#define PUBLICATIONS   2
#define TOPOLOGY_SPARE 5000u /* ms: not all at once when many peers join together */

struct reload_publication {
    uint32_t kind;
    uint8_t resource[RELOAD_RESOURCE_ID_MAX];
    size_t resource_len;
    struct reload_timer timer;
};

static void set_timer(struct reload_node *node, struct reload_publication *p, uint64_t in_ms)
{
    if (reload_timer_set(&node->timers, &p->timer, node->now.monotonic_ms + in_ms) != 0)
        reload_drop(node, RELOAD_DROP_MEMORY, NULL, "publication");
}

static uint64_t jitter(struct reload_node *node, uint64_t up_to_ms)
{
    return reload_random_u64(&node->random) % (up_to_ms + 1);
}

static void prepare(struct reload_node *node, struct reload_publication *p, uint32_t kind,
                    struct reload_slice resource_name)
{
    p->timer.kind = RELOAD_TIMER_PUBLICATION;
    p->kind = kind;
    if (resource_name.n == 0 || !reload_config_kind(node->overlay, kind) ||
        node->ops->resource_id(node->crypto, resource_name, p->resource, &p->resource_len) != 0) {
        p->kind = 0;
        return;
    }
    set_timer(node, p, jitter(node, TOPOLOGY_SPARE));
}

void reload_publish_begin(struct reload_node *node)
{
    if (node->publications)
        return;
    node->publications = reload_calloc(PUBLICATIONS, sizeof *node->publications);
    if (!node->publications)
        return;
    prepare(node, &node->publications[0], KIND_BY_NODE, reload_node_id_slice(&node->self));
    prepare(node, &node->publications[1], KIND_BY_USER, node->crypto->own->user_name);
}

static void start(struct reload_node *node, struct reload_publication *p, uint16_t code,
                  const struct reload_writer *body)
{
    struct reload_outgoing outgoing = {
        .code = code,
        .body = reload_writer_slice(body),
        .owner = RELOAD_OWNER_PUBLICATION,
        .owner_object = p,
    };
    int e = body->failed ? RELOAD_E_NOSPACE : 0;
    if (e == 0)
        e = reload_destination_list(node, NULL, true, reload_slice_of(p->resource, p->resource_len),
                                    &outgoing.destination_list);
    if (e == 0)
        e = reload_transaction_start(node, &outgoing, NULL);
    if (e != 0)
        set_timer(node, p, RETRY_MS);
}

/* Asks what is stored there. */
void reload_publish_due(struct reload_node *node, struct reload_publication *p)
{
    if (node->state != RELOAD_TOPOLOGY_JOINED) {
        set_timer(node, p, RETRY_MS);
        return;
    }
    struct reload_writer w = reload_arena_writer(&node->queue.arena, 512);
    size_t mark = reload_fetch_req_begin(&w, reload_slice_of(p->resource, p->resource_len));
    struct reload_specifier_mark specifier =
        reload_specifier_begin(&w, p->kind, 0, RELOAD_MODEL_ARRAY);
    reload_wr_array_range(&w, (struct reload_array_range){ 0, RELOAD_ARRAY_LAST });
    reload_specifier_end(&w, specifier, RELOAD_MODEL_ARRAY);
    reload_fetch_req_end(&w, mark);
    start(node, p, RELOAD_FETCH_REQ, &w);
}

/* The index of this very certificate in what was fetched; RELOAD_ARRAY_LAST, to append, when it is
 * not there (s8: "at the end of the list"). */
static uint32_t find_index(struct reload_node *node, const struct reload_publication *p,
                           const struct reload_answer *answer)
{
    struct reload_fetched walk;
    struct reload_fetched_value value;
    reload_fetched_init(node, &walk, reload_slice_of(p->resource, p->resource_len),
                        answer->certificates);
    if (reload_fetched_begin(&walk, answer->body) != 0)
        return RELOAD_ARRAY_LAST;
    while (reload_fetched_next(&walk, &value) == 1)
        if (value.exists && reload_slice_equal(value.value, node->crypto->own->certificate))
            return value.index;
    return RELOAD_ARRAY_LAST;
}

static uint32_t lifetime_s(const struct reload_node *node)
{
    uint64_t end = node->crypto->own->not_after_ms, now = node->now.unix_ms;
    uint64_t left_s = end > now ? (end - now) / 1000 : 0;
    return left_s < LIFETIME_S ? (uint32_t)left_s : LIFETIME_S;
}

static void store(struct reload_node *node, struct reload_publication *p, uint32_t index)
{
    const struct reload_store_item item = {
        .kind = p->kind,
        .index = index,
        .exists = true,
        .value = node->crypto->own->certificate,
        .lifetime_s = lifetime_s(node),
        .storage_time = reload_storage_time(node),
    };
    struct reload_writer w =
        reload_arena_writer(&node->queue.arena, node->overlay->max_message_size);
    if (reload_store_request_encode(node->crypto, node->overlay,
                                    reload_slice_of(p->resource, p->resource_len), &item, 1,
                                    &w) != 0)
        reload_wr_fail(&w);
    reload_arena_trim(&node->queue.arena, &w);
    start(node, p, RELOAD_STORE_REQ, &w);
}

void reload_publish_answered(struct reload_node *node, struct reload_answer *answer)
{
    struct reload_publication *p = answer->transaction->owner_object;
    if (answer->error != 0) {
        reload_log_line(node, RELOAD_LOG_INFO, "own certificate not published yet: %s",
                        answer->error_code ? reload_error_code_name(answer->error_code)
                                           : reload_error_text(answer->error));
        set_timer(node, p, RETRY_MS + jitter(node, RETRY_MS));
        return;
    }
    if (answer->transaction->code == RELOAD_FETCH_REQ) {
        store(node, p, find_index(node, p, answer));
        return;
    }
    uint64_t half_ms = (uint64_t)lifetime_s(node) * 500;
    set_timer(node, p, (half_ms > RETRY_MS ? half_ms : RETRY_MS) + jitter(node, RETRY_MS));
}

struct reload_publication *reload_publication_of_timer(struct reload_timer *timer)
{
    return (struct reload_publication *)((uint8_t *)timer -
                                         offsetof(struct reload_publication, timer));
}

void reload_publish_fini(struct reload_node *node)
{
    reload_free(node->publications);
}
