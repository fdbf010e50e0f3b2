#include "reload/security/bucket.h"
#include "reload/store/held.h"
#include "reload/wire/store.h"

/* Handing data on: StoreReqs over an arc of the ring (RFC 6940 s7.4.1.1, s10.4, s10.5). */

/* --- the arc (after, up_to], clockwise; equal ends are the whole ring --- */

/* The first resource after `id`, which itself is in the arc or its start; NULL at the end. */
static struct reload_tree_node *next_on_arc(const struct reload_tree *ring,
                                            struct reload_slice after, struct reload_slice up_to,
                                            struct reload_slice id, bool at_start)
{
    bool wraps = reload_tree_compare(after, up_to) >= 0;
    bool before_zero = wraps && (at_start || reload_tree_compare(id, after) > 0);
    struct reload_tree_node *node = reload_tree_after(ring, id);
    if (before_zero && node)
        return node;
    if (before_zero)
        node = reload_tree_first(ring);
    return node && reload_tree_compare(node->key, up_to) <= 0 ? node : NULL;
}

static struct reload_held_resource *resource_at(const struct reload_store *store,
                                                struct reload_slice after,
                                                struct reload_slice up_to,
                                                const struct reload_store_cursor *cursor)
{
    struct reload_slice id = { cursor->resource, cursor->resource_len };
    bool at_start = !cursor->started;
    if (cursor->within) {
        struct reload_tree_node *same = reload_tree_find(&store->resources, id);
        if (same)
            return (struct reload_held_resource *)same;
    }
    return (struct reload_held_resource *)next_on_arc(&store->resources, after, up_to,
                                                      at_start ? after : id, at_start);
}

/* --- one request --- */

struct request {
    struct reload_time now;
    size_t max_len, value_count;
    struct reload_writer *body, *certificates;
    size_t body_start, certificates_start, body_mark;
    uint32_t kind; /* whose StoreKindData is open, when kind_mark is not 0 */
    size_t kind_mark;
};

static void close_kind(struct request *r)
{
    if (r->kind_mark)
        reload_store_kind_end(r->body, r->kind_mark);
    r->kind_mark = 0;
}

static size_t written(const struct request *r)
{
    return r->body->len - r->body_start + r->certificates->len - r->certificates_start;
}

/* Adds a value, or leaves the request as it was when it would become too long. */
static bool add_value(struct request *r, const struct reload_held_value *value)
{
    const struct reload_certificate certificate = { RELOAD_CERTIFICATE_X509,
                                                    value->certificate->node.key };
    struct reload_writer body = *r->body, certificates = *r->certificates;
    size_t kind_mark = r->kind_mark;
    if (!kind_mark)
        kind_mark = reload_store_kind_begin(r->body, value->kind_id, value->kind->generation);
    reload_held_write(value, r->now, r->body);
    reload_bucket_add(r->certificates, r->certificates_start, &certificate);
    bool fits = !reload_writer_status(r->body) && !reload_writer_status(r->certificates) &&
                (r->value_count == 0 || written(r) <= r->max_len);
    if (!fits) {
        *r->body = body;
        *r->certificates = certificates;
        return false;
    }
    r->kind_mark = kind_mark;
    r->value_count++;
    return true;
}

/* Values of a Kind that came after the cursor's, in the order they came, so that changes between
 * two requests neither hide a value nor end the walk. */
static const struct reload_held_value *next_value(const struct reload_held_kind *kind,
                                                  const struct reload_store_cursor *cursor)
{
    const struct reload_held_value *v = kind->oldest;
    bool resumes = cursor->within && cursor->kind == kind->id;
    while (resumes && v && v->serial <= cursor->serial)
        v = v->newer;
    return v;
}

/* Writes what fits of a resource; true when that was the rest of it. */
static bool add_resource(struct request *r, const struct reload_held_resource *resource,
                         struct reload_store_cursor *cursor)
{
    for (const struct reload_held_kind *kind = resource->kinds; kind; kind = kind->next) {
        if (cursor->within && kind->id < cursor->kind)
            continue;
        const struct reload_held_value *v = next_value(kind, cursor);
        for (; v; v = v->newer) {
            if (reload_held_lifetime_left(v, r->now) > 0 && !add_value(r, v))
                return false;
            cursor->within = true;
            cursor->kind = kind->id;
            cursor->serial = v->serial;
        }
        close_kind(r);
    }
    return true;
}

static void enter(struct reload_store_cursor *cursor, struct reload_slice id)
{
    bool same = cursor->within &&
                reload_slice_equal(id, reload_slice_of(cursor->resource, cursor->resource_len));
    cursor->started = true;
    cursor->within = same;
    cursor->resource_len = (uint8_t)id.n;
    memcpy(cursor->resource, id.p, id.n);
}

int reload_store_walk(struct reload_store *store, struct reload_slice after,
                      struct reload_slice up_to, uint8_t replica_number, size_t max_len,
                      struct reload_time now, struct reload_store_cursor *cursor,
                      struct reload_slice *resource, struct reload_writer *body,
                      struct reload_writer *certificates)
{
    for (;;) {
        struct reload_held_resource *at = resource_at(store, after, up_to, cursor);
        if (!at)
            return 0;
        struct request r = {
            .now = now,
            .max_len = max_len,
            .body = body,
            .certificates = certificates,
            .body_start = body->len,
            .certificates_start = certificates->len,
        };
        enter(cursor, at->node.key);
        r.body_mark = reload_store_req_begin(body, at->node.key, replica_number);
        bool whole = add_resource(&r, at, cursor);
        close_kind(&r);
        reload_store_req_end(body, r.body_mark);
        if (whole)
            cursor->within = false;
        if (reload_writer_status(body) || (!whole && r.value_count == 0))
            return RELOAD_E_NOSPACE;
        if (r.value_count > 0) {
            *resource = at->node.key;
            return 1;
        }
        body->len = r.body_start; /* nothing left to live here: on to the next */
    }
}

void reload_store_forget(struct reload_store *store, struct reload_slice after,
                         struct reload_slice up_to)
{
    reload_held_rows_settle(store);
    struct reload_tree_node *node = next_on_arc(&store->resources, after, up_to, after, true);
    while (node) {
        /* The id outlives the resource: the next place on the arc is found by it. */
        uint8_t bytes[RELOAD_RESOURCE_ID_MAX];
        struct reload_slice id = { bytes, node->key.n };
        memcpy(bytes, node->key.p, node->key.n);
        reload_held_resource_remove(store, (struct reload_held_resource *)node);
        node = next_on_arc(&store->resources, after, up_to, id, false);
    }
}
