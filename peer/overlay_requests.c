#include "peer/overlay_internal.h"

/* The application's requests, and what it is told. A notice is a copy: the application may do what
 * it likes while it reads it. */

struct pending {
    reload_overlay_done *done;
    void *context;
};

/* --- copies --- */

struct reload_slice reload_notice_keep(struct notice *notice, struct reload_slice slice)
{
    if (slice.n == 0)
        return (struct reload_slice){ 0 };
    uint8_t *copy = g_memdup2(slice.p, slice.n);
    g_ptr_array_add(notice->blocks, copy);
    return (struct reload_slice){ copy, slice.n };
}

struct notice *reload_notice_new(struct reload_overlay *o,
                                 void (*deliver)(struct reload_overlay *, struct notice *))
{
    struct notice *notice = g_new0(struct notice, 1);
    notice->deliver = deliver;
    notice->blocks = g_ptr_array_new_with_free_func(g_free);
    g_queue_push_tail(&o->notices, notice);
    return notice;
}

static void notice_free(struct notice *notice)
{
    g_ptr_array_unref(notice->blocks);
    g_free(notice);
}

static void keep_values(struct notice *notice, const struct reload_result *result)
{
    if (result->value_count == 0)
        return;
    struct reload_fetched_value *values =
        g_memdup2(result->values, result->value_count * sizeof *values);
    g_ptr_array_add(notice->blocks, values);
    for (size_t i = 0; i < result->value_count; i++) {
        values[i].key = reload_notice_keep(notice, values[i].key);
        values[i].value = reload_notice_keep(notice, values[i].value);
        values[i].user_name = reload_notice_keep(notice, values[i].user_name);
    }
    notice->result.values = values;
}

/* --- notices --- */

static void deliver_result(struct reload_overlay *o, struct notice *notice)
{
    (void)o;
    if (notice->done)
        notice->done(notice->context, &notice->result);
}

void reload_overlay_finish_request(struct reload_overlay *o, const struct reload_result *result)
{
    int64_t key = (int64_t)result->request;
    const struct pending *pending = g_hash_table_lookup(o->requests, &key);
    if (!pending)
        return;
    struct notice *notice = reload_notice_new(o, deliver_result);
    notice->result = *result;
    notice->result.body = reload_notice_keep(notice, result->body);
    keep_values(notice, result);
    notice->done = pending->done;
    notice->context = pending->context;
    g_hash_table_remove(o->requests, &key);
}

static void deliver_state(struct reload_overlay *o, struct notice *notice)
{
    if (o->events.state)
        o->events.state(o->events_context, notice->state, notice->text);
}

void reload_overlay_note_state(struct reload_overlay *o, enum reload_topology_state state,
                               const char *text)
{
    struct notice *notice = reload_notice_new(o, deliver_state);
    notice->state = state;
    notice->text = g_strdup(text ? text : "");
    g_ptr_array_add(notice->blocks, notice->text);
}

static void deliver_config(struct reload_overlay *o, struct notice *notice)
{
    (void)notice;
    if (o->events.config)
        o->events.config(o->events_context, reload_node_overlay(o->node));
}

void reload_overlay_note_config(struct reload_overlay *o)
{
    reload_notice_new(o, deliver_config);
}

bool reload_overlay_deliver(struct reload_overlay *o)
{
    struct notice *notice = g_queue_pop_head(&o->notices);
    if (!notice)
        return false;
    notice->deliver(o, notice);
    notice_free(notice);
    return true;
}

void reload_overlay_abandon(struct reload_overlay *o)
{
    struct notice *notice;
    while ((notice = g_queue_pop_head(&o->notices))) {
        if (notice->deliver == deliver_result)
            notice->deliver(o, notice);
        notice_free(notice);
    }
    GHashTableIter iter;
    gpointer request, value;
    g_hash_table_iter_init(&iter, o->requests);
    while (g_hash_table_iter_next(&iter, &request, &value)) {
        const struct pending *pending = value;
        struct reload_result result = { .request = *(uint64_t *)request, .error = RELOAD_E_CLOSED };
        if (pending->done)
            pending->done(pending->context, &result);
    }
}

/* --- requests --- */

/* After the node took a request, or did not. */
static int started(struct reload_overlay *o, int error, uint64_t request, reload_overlay_done *done,
                   void *context)
{
    if (error == 0) {
        struct pending *pending = g_new0(struct pending, 1);
        *pending = (struct pending){ done, context };
        g_hash_table_insert(o->requests, g_memdup2(&request, sizeof request), pending);
    }
    reload_overlay_settle(o);
    return error;
}

int reload_overlay_store(struct reload_overlay *o, struct reload_slice resource,
                         const struct reload_store_item *items, size_t count,
                         reload_overlay_done *done, void *context)
{
    uint64_t request = 0;
    o->now = reload_overlay_now();
    int error = reload_node_store(o->node, resource, items, count, o->now, &request);
    return started(o, error, request, done, context);
}

int reload_overlay_fetch(struct reload_overlay *o, struct reload_slice resource,
                         struct reload_slice body, reload_overlay_done *done, void *context)
{
    uint64_t request = 0;
    o->now = reload_overlay_now();
    int error = reload_node_fetch(o->node, resource, body, o->now, &request);
    return started(o, error, request, done, context);
}

int reload_overlay_request(struct reload_overlay *o, const struct reload_target *target,
                           uint16_t code, struct reload_slice body, reload_overlay_done *done,
                           void *context)
{
    uint64_t request = 0;
    o->now = reload_overlay_now();
    int error = reload_node_request(o->node, target, code, body, o->now, &request);
    return started(o, error, request, done, context);
}

int reload_overlay_attach(struct reload_overlay *o, const struct reload_target *target,
                          reload_overlay_done *done, void *context)
{
    uint64_t request = 0;
    o->now = reload_overlay_now();
    int error = reload_node_attach(o->node, target, o->now, &request);
    return started(o, error, request, done, context);
}

void reload_overlay_join(struct reload_overlay *o, bool first)
{
    o->now = reload_overlay_now();
    reload_node_join(o->node, first, o->now);
    reload_overlay_settle(o);
}

void reload_overlay_leave(struct reload_overlay *o)
{
    o->now = reload_overlay_now();
    reload_overlay_bootstrap_harvest(o); /* while there are links */
    reload_node_leave(o->node, o->now);
    reload_overlay_settle(o);
}

int reload_overlay_configure(struct reload_overlay *o, struct reload_slice document)
{
    o->now = reload_overlay_now();
    int error = reload_node_configure(o->node, document, o->now);
    reload_overlay_settle(o);
    return error;
}
