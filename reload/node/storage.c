#include "reload/node/state.h"

#include "reload/alloc.h"
#include "reload/wire/fetch.h"
#include "reload/wire/find.h"
#include "reload/wire/store.h"

/* The methods of the store (RFC 6940 s7.4) at the peer that is asked, and the wait for the disk. */

#define HELD_MAX 4096 /* StoreAns that wait for the disk */

static void malformed(struct reload_node *node, const struct reload_request *request)
{
    reload_drop(node, RELOAD_DROP_BODY, request->from, "storage");
    reload_respond_error_text(node, &request->reply, RELOAD_ERROR_INVALID_MESSAGE,
                              "malformed request");
}

static bool responsible(const struct reload_node *node, struct reload_slice resource)
{
    return node->ops->responsible(node->topology, resource);
}

static struct reload_writer answer_writer(struct reload_node *node)
{
    return reload_arena_writer(&node->queue.arena, node->overlay->max_message_size);
}

static void respond(struct reload_node *node, const struct reload_reply *reply, uint16_t error,
                    const struct reload_writer *w, struct reload_slice certificates)
{
    if (error)
        reload_respond_error(node, reply, error, reload_writer_slice(w));
    else if (w->failed)
        reload_respond_error_text(node, reply, RELOAD_ERROR_RESPONSE_TOO_LARGE,
                                  "the answer would be too large");
    else
        reload_respond(node, reply, reload_writer_slice(w), certificates);
}

/* --- waiting for the disk --- */

static struct reload_slice copy(struct reload_node *node, struct reload_slice s)
{
    return reload_slice_of(reload_arena_copy(&node->queue.arena, s.p, s.n), s.n);
}

/* One action with the rows that changed since the last, as copies. */
uint64_t reload_storage_flush(struct reload_node *node)
{
    struct reload_arena *arena = &node->queue.arena;
    struct reload_store_row row, *rows = NULL;
    size_t count = 0, capacity = 0;
    while (node->config.persist && reload_store_next_row(node->store, &row)) {
        if (count == capacity) {
            size_t bigger = capacity ? 2 * capacity : 4;
            struct reload_store_row *more = reload_arena_alloc(arena, bigger * sizeof *more);
            if (!more)
                break;
            if (count)
                memcpy(more, rows, count * sizeof *rows);
            rows = more;
            capacity = bigger;
        }
        row.resource = copy(node, row.resource);
        row.entry = copy(node, row.entry);
        row.stored_data = copy(node, row.stored_data);
        row.certificate = copy(node, row.certificate);
        if (!row.resource.p || !row.entry.p || !row.stored_data.p || !row.certificate.p)
            break;
        rows[count++] = row;
    }
    struct reload_action *action =
        count ? reload_queue_push(&node->queue, RELOAD_ACTION_PERSIST) : NULL;
    if (!action)
        return 0;
    action->persist = (struct reload_action_persist){ .token = node->next_token++,
                                                      .rows = rows,
                                                      .row_count = count };
    return action->persist.token;
}

static bool hold(struct reload_node *node, uint64_t token, const struct reload_reply *reply,
                 struct reload_slice body, struct reload_slice resource,
                 struct reload_store_changes changes)
{
    struct reload_slice list = reply->destination_list, options = reply->options;
    size_t bytes = list.n + options.n + body.n + resource.n;
    struct reload_held *held =
        node->held_count < HELD_MAX ? reload_alloc(sizeof *held + bytes) : NULL;
    if (!held)
        return false;
    struct reload_writer w = reload_writer_of(held + 1, bytes);
    *held = (struct reload_held){
        .next = node->held, .token = token, .reply = *reply, .changes = changes
    };
    held->reply.destination_list = (struct reload_slice){ w.buf, list.n };
    reload_wr_bytes(&w, list);
    held->reply.options = (struct reload_slice){ w.buf + w.len, options.n };
    reload_wr_bytes(&w, options);
    held->body = (struct reload_slice){ w.buf + w.len, body.n };
    reload_wr_bytes(&w, body);
    held->resource = (struct reload_slice){ w.buf + w.len, resource.n };
    reload_wr_bytes(&w, resource);
    node->held = held;
    node->held_count++;
    return true;
}

/* s10.4: the answer first, then the replicas. */
static void conclude(struct reload_node *node, const struct reload_reply *reply, bool ok,
                     struct reload_slice body, struct reload_slice resource,
                     struct reload_store_changes changes)
{
    if (!ok) { /* not acknowledged: the writer may try again later */
        reload_respond_error_text(node, reply, RELOAD_ERROR_REQUEST_TIMEOUT,
                                  "the value could not be written to disk");
        return;
    }
    reload_respond(node, reply, body, (struct reload_slice){ 0 });
    if (changes.after != changes.up_to)
        reload_replicate(node, resource, changes);
}

void reload_storage_persisted(struct reload_node *node, uint64_t token, bool ok)
{
    struct reload_held **link = &node->held, *done = NULL;
    while (*link) {
        struct reload_held *held = *link;
        if (ok ? held->token > token : held->token != token) { /* in bulk when it went well */
            link = &held->next;
            continue;
        }
        *link = held->next; /* newest first in the list, so that `done` is oldest first */
        held->next = done;
        done = held;
        node->held_count--;
    }
    while (done) {
        struct reload_held *held = done;
        done = held->next;
        struct reload_slice body = copy(node, held->body), resource = copy(node, held->resource);
        if (body.p && resource.p)
            conclude(node, &held->reply, ok, body, resource, held->changes);
        reload_free(held);
    }
}

void reload_storage_fini(struct reload_node *node)
{
    while (node->held) {
        struct reload_held *held = node->held;
        node->held = held->next;
        reload_free(held);
    }
}

/* --- Store (s7.4.1) --- */

/* *changes: what the replicas should get. */
static uint16_t store(struct reload_node *node, const struct reload_request *request,
                      const struct reload_store_req *req, struct reload_store_changes *changes,
                      struct reload_writer *w)
{
    struct reload_node_id replicas[RELOAD_REPLICAS_MAX];
    struct reload_store_context context = {
        .signer = &request->signer,
        .certificates = request->message.security.certificates,
        .responsible = responsible(node, req->resource),
        .replicas = replicas,
        .now = node->now,
    };
    if (req->replica_number)
        context.replica_plausible =
            node->ops->replica_plausible(node->topology, req->resource, &request->signer_id);
    else if (context.responsible)
        context.replica_count =
            node->ops->replicas(node->topology, req->resource, replicas, RELOAD_REPLICAS_MAX);
    bool changed = false;
    changes->after = changes->up_to = reload_store_serial(node->store);
    uint16_t error =
        reload_store_handle_store(node->store, request->message.body, &context, w, &changed);
    /* Data handed over to its owner has a replica set as well (s6.4.2.3, s10.7.3). */
    if (changed && error == 0 && context.responsible)
        changes->up_to = reload_store_serial(node->store);
    return error;
}

void reload_store_handle(struct reload_node *node, struct reload_request *request)
{
    struct reload_store_req req;
    struct reload_store_changes changes, none = { 0 };
    if (reload_store_req_decode(request->message.body, &req) != 0 ||
        req.resource.n != node->ops->resource_id_length) {
        malformed(node, request);
        return;
    }
    struct reload_writer w = answer_writer(node);
    uint16_t error = store(node, request, &req, &changes, &w);
    reload_arena_trim(&node->queue.arena, &w);
    if (error || w.failed) {
        respond(node, &request->reply, error, &w, (struct reload_slice){ 0 });
        return;
    }
    struct reload_slice body = reload_writer_slice(&w);
    uint64_t token = reload_storage_flush(node);
    if (!token)
        conclude(node, &request->reply, true, body, req.resource, changes);
    else if (!hold(node, token, &request->reply, body, req.resource, changes))
        conclude(node, &request->reply, false, body, req.resource, none);
}

/* --- Fetch, Stat, Find (s7.4.2 to s7.4.4) --- */

bool reload_fetch_too_early(const struct reload_node *node, struct reload_slice body)
{
    struct reload_fetch_req req;
    if (!node->ops->certain || reload_fetch_req_decode(body, &req) != 0 ||
        !responsible(node, req.resource) || node->ops->certain(node->topology, req.resource))
        return false;
    struct reload_reader r = reload_reader_over(req.specifiers);
    struct reload_stored_data_specifier specifier;
    while (reload_stored_data_specifier_next(&r, &specifier))
        if (!reload_store_holds(node->store, req.resource, specifier.kind))
            return true;
    return false;
}

/* Its requester sends it again, and by then it is decided who owns the range. */
static bool put_off(struct reload_node *node, const struct reload_request *request)
{
    if (request->reply.local || !reload_fetch_too_early(node, request->message.body))
        return false;
    reload_drop(node, RELOAD_DROP_STATE, request->from, "whose range this was may hold it");
    return true;
}

void reload_fetch_handle(struct reload_node *node, struct reload_request *request)
{
    if (put_off(node, request))
        return;
    struct reload_writer w = answer_writer(node);
    struct reload_writer certificates = answer_writer(node);
    uint16_t error =
        reload_store_handle_fetch(node->store, request->message.body, node->now, &w, &certificates);
    respond(node, &request->reply, error, &w, reload_writer_slice(&certificates));
}

void reload_stat_handle(struct reload_node *node, struct reload_request *request)
{
    if (put_off(node, request))
        return;
    struct reload_writer w = answer_writer(node);
    uint16_t error = reload_store_handle_stat(node->store, request->message.body, node->now, &w);
    respond(node, &request->reply, error, &w, (struct reload_slice){ 0 });
}

void reload_find_handle(struct reload_node *node, struct reload_request *request)
{
    struct reload_find_req req;
    if (reload_find_req_decode(request->message.body, &req) != 0) {
        malformed(node, request);
        return;
    }
    struct reload_writer w = answer_writer(node);
    uint16_t error = reload_store_handle_find(node->store, request->message.body,
                                              responsible(node, req.resource), node->now, &w);
    respond(node, &request->reply, error, &w, (struct reload_slice){ 0 });
}
