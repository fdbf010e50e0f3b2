#include "reload/node/state.h"
#include "reload/wire/fetch.h"
#include "reload/wire/store.h"

/* The far end of a Store has newer data. Of a re-store this node takes it over (RFC 6940 s7.4.1.1);
 * of an application's Store the application gets it, since only it can tell what to make of both
 * (s7.4.1.2). */

static void ask_for_all(struct reload_writer *w, const struct reload_kind_config *kind)
{
    struct reload_specifier_mark mark = reload_specifier_begin(w, kind->id, 0, kind->data_model);
    if (kind->data_model == RELOAD_MODEL_ARRAY)
        reload_wr_array_range(w, (struct reload_array_range){ 0, RELOAD_ARRAY_LAST });
    reload_specifier_end(w, mark, kind->data_model);
}

/* A Fetch of everything that a StoreReq held. */
static int write_fetch(struct reload_node *node, const struct reload_store_req *req,
                       struct reload_writer *w)
{
    struct reload_reader r = reload_reader_over(req->kind_data);
    struct reload_store_kind_data data;
    size_t mark = reload_fetch_req_begin(w, req->resource);
    while (reload_store_kind_data_next(&r, &data)) {
        const struct reload_kind_config *kind = reload_config_kind(node->overlay, data.kind);
        if (kind)
            ask_for_all(w, kind);
    }
    reload_fetch_req_end(w, mark);
    return reload_writer_status(w);
}

/* The body of the request that a transaction sent. */
static struct reload_slice request_body(const struct reload_node *node,
                                        const struct reload_transaction *t)
{
    struct reload_message m;
    if (!t->message || reload_message_decode(reload_slice_of(t->message, t->len),
                                             reload_node_id_length(node), &m) != 0)
        return (struct reload_slice){ 0 };
    return m.body;
}

bool reload_is_superseded(const struct reload_answer *answer)
{
    return answer->error_code == RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW ||
           answer->error_code == RELOAD_ERROR_DATA_TOO_OLD;
}

static size_t count_values(const struct reload_node *node, const struct reload_store_req *req)
{
    struct reload_reader r = reload_reader_over(req->kind_data);
    struct reload_store_kind_data data;
    size_t count = 0;
    while (reload_store_kind_data_next(&r, &data)) {
        const struct reload_kind_config *kind = reload_config_kind(node->overlay, data.kind);
        struct reload_reader values = reload_reader_over(data.values);
        struct reload_stored_data stored;
        while (kind && reload_stored_data_next(&values, kind->data_model, &stored))
            count++;
    }
    return count;
}

bool reload_resync(struct reload_node *node, const struct reload_answer *answer)
{
    struct reload_store_req req;
    if (!reload_is_superseded(answer) ||
        reload_store_req_decode(request_body(node, answer->transaction), &req) != 0)
        return false;
    struct reload_writer w =
        reload_arena_writer(&node->queue.arena, node->overlay->max_message_size);
    struct reload_outgoing outgoing = { .code = RELOAD_FETCH_REQ, .owner = RELOAD_OWNER_RESYNC };
    int e = write_fetch(node, &req, &w);
    outgoing.body = reload_writer_slice(&w);
    if (e == 0)
        e = reload_destination_list(node, NULL, false, reload_node_id_slice(&answer->signer),
                                    &outgoing.destination_list);
    if (e == 0)
        e = reload_transaction_start(node, &outgoing, NULL);
    if (e != 0)
        reload_log_line(node, RELOAD_LOG_WARNING, "newer data not fetched: %s",
                        reload_error_text(e));
    return count_values(node, &req) > 1;
}

/* One value as a replica Store of its own: others may be older than what is here. */
static bool take_value(struct reload_node *node, const struct reload_store_context *context,
                       struct reload_slice resource, uint32_t kind, uint64_t generation,
                       struct reload_slice value)
{
    struct reload_writer w = reload_arena_writer(&node->queue.arena, value.n + resource.n + 64);
    struct reload_writer ans =
        reload_arena_writer(&node->queue.arena, node->overlay->max_message_size);
    bool changed = false;
    size_t mark = reload_store_req_begin(&w, resource, 1);
    size_t kind_mark = reload_store_kind_begin(&w, kind, generation);
    reload_wr_bytes(&w, value);
    reload_store_kind_end(&w, kind_mark);
    reload_store_req_end(&w, mark);
    if (reload_writer_status(&w) == 0)
        (void)reload_store_handle_store(node->store, reload_writer_slice(&w), context, &ans,
                                        &changed);
    reload_arena_trim(&node->queue.arena, &ans);
    return changed;
}

/* What somebody stored among the values of a FetchAns. Returns how many were news. */
static size_t take_values(struct reload_node *node, const struct reload_store_context *context,
                          struct reload_slice resource, const struct reload_fetch_ans *ans)
{
    struct reload_reader r = reload_reader_over(ans->kind_responses);
    struct reload_fetch_kind_response response;
    struct reload_stored_data data;
    size_t taken = 0;
    while (reload_fetch_kind_response_next(&r, &response)) {
        const struct reload_kind_config *kind = reload_config_kind(node->overlay, response.kind);
        struct reload_reader values = reload_reader_over(response.values);
        while (kind && response.generation &&
               reload_stored_data_next(&values, kind->data_model, &data))
            if (!reload_signature_is_none(&data.signature))
                taken +=
                    take_value(node, context, resource, kind->id, response.generation, data.raw);
    }
    return taken;
}

static void take_over(struct reload_node *node, struct reload_slice resource,
                      const struct reload_fetch_ans *ans, struct reload_slice certificates)
{
    struct reload_signer self;
    struct reload_store_changes changes = { .after = reload_store_serial(node->store) };
    if (reload_identify_self(node, &self) != 0)
        return;
    const struct reload_store_context context = {
        .signer = &self,
        .certificates = certificates,
        .responsible = node->ops->responsible(node->topology, resource),
        .replica_plausible = true, /* this node asked for it */
        .now = node->now,
    };
    size_t taken = take_values(node, &context, resource, ans);
    changes.up_to = reload_store_serial(node->store);
    reload_storage_flush(node);
    reload_log_line(node, RELOAD_LOG_INFO, "newer data of another holder: %zu values taken over",
                    taken);
    if (taken && context.responsible)
        reload_replicate(node, resource, changes);
}

void reload_resync_answered(struct reload_node *node, struct reload_answer *answer)
{
    struct reload_fetch_req req;
    struct reload_fetch_ans ans;
    if (answer->error != 0 ||
        reload_fetch_req_decode(request_body(node, answer->transaction), &req) != 0 ||
        reload_fetch_ans_decode(answer->body, &ans) != 0)
        return;
    struct reload_slice resource = {
        reload_arena_copy(&node->queue.arena, req.resource.p, req.resource.n), req.resource.n
    };
    if (resource.p)
        take_over(node, resource, &ans, answer->certificates);
}

/* --- an application's Store --- */

/* A Fetch of the Kinds that the error names. */
static int write_refused(struct reload_node *node, struct reload_slice resource,
                         struct reload_slice error_info, struct reload_writer *w)
{
    struct reload_store_ans ans;
    struct reload_store_kind_response response;
    int e = reload_store_ans_decode(error_info, reload_node_id_length(node), &ans);
    if (e != 0)
        return e;
    struct reload_reader r = reload_reader_over(ans.kind_responses);
    size_t mark = reload_fetch_req_begin(w, resource), before = w->len;
    while (reload_store_kind_response_next(&r, reload_node_id_length(node), &response)) {
        const struct reload_kind_config *kind = reload_config_kind(node->overlay, response.kind);
        if (kind)
            ask_for_all(w, kind);
    }
    if (w->len == before)
        return RELOAD_E_NOT_FOUND;
    reload_fetch_req_end(w, mark);
    return reload_writer_status(w);
}

bool reload_refused_fetch(struct reload_node *node, const struct reload_answer *answer)
{
    const struct reload_transaction *t = answer->transaction;
    const struct reload_destination target = reload_transaction_target(node, t);
    if (t->code != RELOAD_STORE_REQ || target.type != RELOAD_DEST_RESOURCE ||
        answer->error_code != RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW)
        return false;
    struct reload_writer w =
        reload_arena_writer(&node->queue.arena, node->overlay->max_message_size);
    if (write_refused(node, target.id, answer->body, &w) != 0)
        return false;
    reload_arena_trim(&node->queue.arena, &w);
    const struct reload_outgoing outgoing = {
        .code = RELOAD_FETCH_REQ,
        .destination_list = { t->destination_list, t->destination_len },
        .body = reload_writer_slice(&w),
        .keep = answer->body,
        .owner = RELOAD_OWNER_REFUSED,
        .owner_id = t->owner_id,
    };
    return reload_transaction_start(node, &outgoing, NULL) == 0;
}

void reload_refused_answered(struct reload_node *node, struct reload_answer *answer)
{
    const struct reload_transaction *t = answer->transaction;
    struct reload_result result = { .signer = answer->signer };
    if (answer->error == 0)
        reload_fetch_result(node, answer, &result);
    result.request = t->owner_id;
    result.code = RELOAD_STORE_REQ;
    result.error = RELOAD_E_FORBIDDEN;
    result.error_code = RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW;
    result.body.p = reload_arena_copy(&node->queue.arena, t->kept, t->kept_len);
    result.body.n = result.body.p ? t->kept_len : 0;
    struct reload_action *action = reload_queue_push(&node->queue, RELOAD_ACTION_REQUEST_DONE);
    if (action)
        action->result = result;
}
