#include "reload/node/state.h"

#include <stdio.h>

#include "reload/alloc.h"
#include "reload/wire/fetch.h"
#include "reload/wire/stored_data.h"

/* The Certificate Store Usage (RFC 6940 s8): the own certificate, by Node-ID and by user name. What
 * is there is fetched first, to renew the entry that holds this certificate, or to take the place
 * of one that has expired, or else to append one; and again before its lifetime ends. A self-signed
 * certificate is not stored under a user name that somebody else's is stored under (s11.3.1). */

#define KIND_BY_NODE   0x3u
#define KIND_BY_USER   0x10u
#define LIFETIME_S     86400u
#define RETRY_MS       30000u
#define TAKEN_MS       600000u /* until a user name that was taken is looked at again */
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

struct found {                   /* among the certificates that are stored there */
    uint32_t index;              /* to store at */
    struct reload_node_id owner; /* of a certificate that is not this node's; len 0: none */
};

static bool is_own(const struct reload_node *node, const struct reload_fetched_value *value)
{
    return reload_slice_equal(value->value, node->crypto->own->certificate);
}

/* This very certificate, and whether somebody else's is there. */
static void find_own(struct reload_node *node, const struct reload_publication *p,
                     const struct reload_answer *answer, struct found *found)
{
    struct reload_fetched walk;
    struct reload_fetched_value value;
    reload_fetched_init(node, &walk, reload_slice_of(p->resource, p->resource_len),
                        answer->certificates);
    if (reload_fetched_begin(&walk, answer->body) != 0)
        return;
    while (reload_fetched_next(&walk, &value) == 1) {
        if (value.exists && is_own(node, &value))
            found->index = value.index;
        else if (value.exists && !reload_node_id_equal(&value.signer, &node->self))
            found->owner = value.signer;
    }
}

static bool is_expired(struct reload_node *node, const struct reload_answer *answer,
                       const struct reload_stored_data *data)
{
    const struct reload_signer_identity *who = &data->signature.identity;
    struct reload_signer signer;
    return node->crypto->ops->identify(node->crypto->context, answer->certificates, who->type,
                                       who->value, node->now, &signer) == RELOAD_E_EXPIRED;
}

/* A place whose certificate is of no use to anybody any more: the others are kept until they expire
 * (s8). Such a value does not verify, so it is looked for among all that came. */
static void find_expired(struct reload_node *node, const struct reload_publication *p,
                         const struct reload_answer *answer, struct found *found)
{
    struct reload_fetch_ans ans;
    struct reload_fetch_kind_response response;
    struct reload_stored_data data;
    if (reload_fetch_ans_decode(answer->body, &ans) != 0)
        return;
    struct reload_reader kinds = reload_reader_over(ans.kind_responses);
    while (reload_fetch_kind_response_next(&kinds, &response)) {
        struct reload_reader r = reload_reader_over(response.values);
        while (response.kind == p->kind && found->index == RELOAD_ARRAY_LAST &&
               reload_stored_data_next(&r, RELOAD_MODEL_ARRAY, &data))
            if (data.value.data.exists && is_expired(node, answer, &data))
                found->index = data.value.index;
    }
}

/* s11.3.1: then the user has to choose another name. */
static bool is_taken(struct reload_node *node, struct reload_publication *p,
                     const struct found *found)
{
    const struct reload_own_identity *own = node->crypto->own;
    if (!own->self_signed || p->kind != KIND_BY_USER || !found->owner.len)
        return false;
    char id[RELOAD_NODE_ID_TEXT], text[RELOAD_NODE_ID_TEXT + 300];
    snprintf(text, sizeof text,
             "user name %.*s is taken by node %s: choose another; the certificate is not stored "
             "under it",
             (int)(own->user_name.n < 200 ? own->user_name.n : 200), (const char *)own->user_name.p,
             reload_node_id_text(&found->owner, id));
    node->host.log(node, RELOAD_LOG_WARNING, text);
    node->host.state(node, node->state, text);
    set_timer(node, p, TAKEN_MS);
    return true;
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

static void fetched(struct reload_node *node, struct reload_publication *p,
                    const struct reload_answer *answer)
{
    struct found found = { .index = RELOAD_ARRAY_LAST }; /* s8: "at the end of the list" */
    find_own(node, p, answer, &found);
    if (found.index == RELOAD_ARRAY_LAST)
        find_expired(node, p, answer, &found);
    if (!is_taken(node, p, &found))
        store(node, p, found.index);
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
        fetched(node, p, answer);
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
