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
    struct reload_store_changes changes; /* only values of these */
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
    struct reload_writer body = *r->body, certificates = *r->certificates;
    size_t kind_mark = r->kind_mark;
    if (!kind_mark)
        kind_mark = reload_store_kind_begin(r->body, value->kind_id, value->kind->generation);
    reload_held_write(value, r->now, r->body);
    reload_certificates_write(value->certificate, r->certificates, r->certificates_start);
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

static bool is_wanted(const struct request *r, const struct reload_held_value *v)
{
    return v->serial > r->changes.after && v->serial <= r->changes.up_to &&
           reload_held_lifetime_left(v, r->now) > 0;
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
            if (is_wanted(r, v) && !add_value(r, v))
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

/* The next request for one resource: 1 written, 0 nothing (left) to write, RELOAD_E_NOSPACE. */
static int write_request(struct request *r, const struct reload_held_resource *at,
                         uint8_t replica_number, struct reload_store_cursor *cursor)
{
    r->body_start = r->body->len;
    r->certificates_start = r->certificates->len;
    enter(cursor, at->node.key);
    r->body_mark = reload_store_req_begin(r->body, at->node.key, replica_number);
    bool whole = add_resource(r, at, cursor);
    close_kind(r);
    reload_store_req_end(r->body, r->body_mark);
    if (whole)
        cursor->within = false;
    if (reload_writer_status(r->body) || (!whole && r->value_count == 0))
        return RELOAD_E_NOSPACE;
    if (r->value_count > 0)
        return 1;
    r->body->len = r->body_start;
    return 0;
}

int reload_store_walk(struct reload_store *store, struct reload_slice after,
                      struct reload_slice up_to, uint8_t replica_number, size_t max_len,
                      struct reload_time now, struct reload_store_cursor *cursor,
                      struct reload_slice *resource, struct reload_writer *body,
                      struct reload_writer *certificates)
{
    struct reload_held_resource *at;
    while ((at = resource_at(store, after, up_to, cursor))) {
        struct request r = {
            .now = now,
            .max_len = max_len,
            .body = body,
            .certificates = certificates,
            .changes = { .up_to = UINT64_MAX },
        };
        *resource = at->node.key;
        int e = write_request(&r, at, replica_number, cursor);
        if (e != 0)
            return e;
        /* nothing left to live here: on to the next */
    }
    return 0;
}

uint64_t reload_store_serial(const struct reload_store *store)
{
    return store->serial;
}

int reload_store_walk_changes(struct reload_store *store, struct reload_slice resource,
                              struct reload_store_changes changes, uint8_t replica_number,
                              size_t max_len, struct reload_time now,
                              struct reload_store_cursor *cursor, struct reload_writer *body,
                              struct reload_writer *certificates)
{
    struct request r = {
        .now = now,
        .max_len = max_len,
        .body = body,
        .certificates = certificates,
        .changes = changes,
    };
    struct reload_tree_node *at = reload_tree_find(&store->resources, resource);
    if (!at || (cursor->started && !cursor->within))
        return 0;
    return write_request(&r, (struct reload_held_resource *)at, replica_number, cursor);
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
