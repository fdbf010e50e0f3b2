#include "reload/node/state.h"
#include "reload/wire/fetch.h"

/* The application's wishes (node.h): requests, values to store, values to fetch. */

uint64_t reload_storage_time(struct reload_node *node)
{
    /* s7.4.1.1: greater than that of any value it replaces, even when the clock went back. */
    uint64_t now = node->now.unix_ms;
    node->last_storage_time = now > node->last_storage_time ? now : node->last_storage_time + 1;
    return node->last_storage_time;
}

static bool is_valid(const struct reload_node *node, const struct reload_target *target)
{
    if (target->list.n)
        return reload_destination_list_validate(target->list, reload_node_id_length(node)) == 0;
    return target->id.n != 0 && target->id.n == (target->resource ? node->ops->resource_id_length
                                                                  : reload_node_id_length(node));
}

int reload_target_list(struct reload_node *node, const struct reload_target *target,
                       struct reload_slice *out)
{
    if (!target->list.n)
        return reload_destination_list(node, target->via, target->resource, target->id, out);
    *out = target->list;
    return 0;
}

int reload_application_begin(struct reload_node *node, const struct reload_target *target,
                             struct reload_time now, uint64_t *request)
{
    reload_node_enter(node, now);
    *request = 0;
    if (!is_valid(node, target))
        return RELOAD_E_INVALID;
    if (node->state != RELOAD_TOPOLOGY_JOINED && !node->was_joined && node->connections.count == 0)
        return RELOAD_E_STATE;
    *request = node->next_request++;
    return 0;
}

static int ask(struct reload_node *node, const struct reload_target *target, uint16_t code,
               struct reload_slice body, uint64_t request)
{
    struct reload_outgoing outgoing = {
        .code = code,
        .body = body,
        .owner = RELOAD_OWNER_APPLICATION,
        .owner_id = request,
    };
    int e = reload_target_list(node, target, &outgoing.destination_list);
    return e == 0 ? reload_transaction_start(node, &outgoing, NULL) : e;
}

int reload_node_request(struct reload_node *node, const struct reload_target *target, uint16_t code,
                        struct reload_slice body, struct reload_time now, uint64_t *request)
{
    int e = reload_application_begin(node, target, now, request);
    if (e == 0 && !reload_message_is_request(code))
        e = RELOAD_E_INVALID;
    if (e == 0)
        e = ask(node, target, code, body, *request);
    reload_node_settle(node);
    return e;
}

/* The items with a storage_time each. */
static struct reload_store_item *stamp(struct reload_node *node,
                                       const struct reload_store_item *items, size_t count)
{
    struct reload_store_item *own =
        reload_arena_copy(&node->queue.arena, items, count * sizeof *items);
    for (size_t i = 0; own && i < count; i++) {
        if (own[i].storage_time == 0)
            own[i].storage_time = reload_storage_time(node);
        else if (own[i].storage_time > node->last_storage_time)
            node->last_storage_time = own[i].storage_time;
    }
    return own;
}

int reload_node_store(struct reload_node *node, struct reload_slice resource,
                      const struct reload_store_item *items, size_t count, struct reload_time now,
                      uint64_t *request)
{
    const struct reload_target target = { .resource = true, .id = resource };
    int e = reload_application_begin(node, &target, now, request);
    if (e == 0 && count == 0)
        e = RELOAD_E_INVALID;
    if (e == 0) {
        struct reload_store_item *own = stamp(node, items, count);
        struct reload_writer w =
            reload_arena_writer(&node->queue.arena, node->overlay->max_message_size);
        e = own && w.buf
                ? reload_store_request_encode(node->crypto, node->overlay, resource, own, count, &w)
                : RELOAD_E_NOMEM;
        reload_arena_trim(&node->queue.arena, &w);
        if (e == 0)
            e = ask(node, &target, RELOAD_STORE_REQ, reload_writer_slice(&w), *request);
    }
    reload_node_settle(node);
    return e;
}

int reload_node_fetch(struct reload_node *node, struct reload_slice resource,
                      struct reload_slice body, struct reload_time now, uint64_t *request)
{
    const struct reload_target target = { .resource = true, .id = resource };
    return reload_node_request(node, &target, RELOAD_FETCH_REQ, body, now, request);
}

int reload_node_attach(struct reload_node *node, const struct reload_target *target,
                       struct reload_time now, uint64_t *request)
{
    int e = reload_application_begin(node, target, now, request);
    const struct reload_waiter waiter = { RELOAD_WAITER_APPLICATION, *request };
    if (e == 0 && target->list.n)
        e = RELOAD_E_INVALID;
    if (e == 0)
        e = reload_attach_start(node, target->via, target->resource, target->id, false, waiter);
    reload_node_settle(node);
    return e;
}

/* --- what a Fetch brought (s7.4.2.2) --- */

void reload_fetched_init(struct reload_node *node, struct reload_fetched *walk,
                         struct reload_slice resource, struct reload_slice certificates)
{
    *walk = (struct reload_fetched){
        .config = node->overlay,
        .crypto = node->crypto,
        .resource_id = node->ops->resource_id,
        .resource = resource,
        .certificates = certificates,
        .now = node->now,
    };
}

static bool keep(struct reload_node *node, struct reload_fetched_value **values, size_t *count,
                 size_t *capacity, const struct reload_fetched_value *value)
{
    if (*count == *capacity) {
        size_t bigger = *capacity ? 2 * *capacity : 8;
        struct reload_fetched_value *more =
            reload_arena_alloc(&node->queue.arena, bigger * sizeof *more);
        if (!more)
            return false;
        if (*count)
            memcpy(more, *values, *count * sizeof *more);
        *values = more;
        *capacity = bigger;
    }
    struct reload_fetched_value *own = &(*values)[*count];
    *own = *value;
    /* The name lies in the signer's certificate, which the next value may push out. */
    own->user_name.p =
        reload_arena_copy(&node->queue.arena, value->user_name.p, value->user_name.n);
    if (!own->user_name.p)
        return false;
    ++*count;
    return true;
}

/* Nothing when the request was this node's to answer: what its own store says is believed. */
static struct reload_slice asked(const struct reload_node *node, const struct reload_answer *answer)
{
    const struct reload_transaction *t = answer->transaction;
    struct reload_message message;
    struct reload_fetch_req request;
    if (!t->message ||
        reload_message_decode(reload_slice_of(t->message, t->len), node->self.len, &message) != 0 ||
        reload_fetch_req_decode(message.body, &request) != 0)
        return reload_slice_of(NULL, 0);
    return request.specifiers;
}

void reload_fetch_result(struct reload_node *node, const struct reload_answer *answer,
                         struct reload_result *result)
{
    struct reload_fetched walk;
    struct reload_fetched_value value, *values = NULL;
    size_t count = 0, capacity = 0;
    reload_fetched_init(node, &walk, reload_transaction_target(node, answer->transaction).id,
                        answer->certificates);
    walk.asked = asked(node, answer);
    int e = reload_fetched_begin(&walk, answer->body);
    if (e == 0)
        while ((e = reload_fetched_next(&walk, &value)) == 1)
            if (!keep(node, &values, &count, &capacity, &value)) {
                e = RELOAD_E_NOMEM;
                break;
            }
    result->error = e;
    result->values = values;
    result->value_count = reload_fetched_unique(values, count);
    result->rejected = walk.rejected + count - result->value_count;
}
