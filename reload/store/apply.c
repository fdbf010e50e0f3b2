#include "reload/alloc.h"
#include "reload/store/put.h"

/* Carrying out a StoreReq that was found good (RFC 6940 s7.4.1.1): each value in turn, all or none.
 */

static uint16_t too_large(struct reload_put *put, const char *why)
{
    put->store->counters.refused_size++;
    put->why = why;
    return RELOAD_ERROR_DATA_TOO_LARGE;
}

static uint16_t full(struct reload_put *put, const char *why)
{
    put->store->counters.refused_full++;
    put->why = why;
    return RELOAD_ERROR_DATA_TOO_LARGE;
}

static uint16_t too_old(struct reload_put *put)
{
    put->store->counters.refused_old++;
    put->why = "storage_time is not newer than that of the value stored";
    return RELOAD_ERROR_DATA_TOO_OLD;
}

static uint16_t open_kind(struct reload_put *put, struct reload_put_kind *kind)
{
    struct reload_store *store = put->store;
    if (kind->held)
        return 0;
    if (store->resources.count >= store->limits.max_resources &&
        !reload_tree_find(&store->resources, put->req.resource))
        return full(put, "too many resources here");
    kind->held = reload_held_kind_open(store, put->req.resource, kind->config);
    return kind->held ? 0 : full(put, "no memory");
}

/* --- the place of an appended array value --- */

/* The end of the array, as s7.4.1.1 asks; when that is beyond max-count, the first free index. */
static uint32_t append_index(const struct reload_held_kind *held, uint32_t max_count)
{
    if (held->count == 0)
        return 0;
    uint32_t last = held->entries[held->count - 1]->index;
    if (last + 1 < max_count)
        return last + 1;
    uint32_t free_index = 0;
    while (free_index < held->count && held->entries[free_index]->index == free_index)
        free_index++;
    return free_index;
}

static void set_index(struct reload_held_value *value, uint32_t index)
{
    struct reload_writer w = reload_writer_of(value->data + RELOAD_STORED_VALUE_AT, 4);
    reload_wr_u32(&w, index);
    value->index = index;
}

/* --- comparison with what is there --- */

/* Same value and signature at the same time; lifetime and index do not count. */
static bool is_same(const struct reload_held_value *a, const struct reload_held_value *b)
{
    size_t skip = RELOAD_STORED_VALUE_AT + (a->model == RELOAD_MODEL_ARRAY ? 4 : 0);
    return a->storage_time_ms == b->storage_time_ms && a->len == b->len &&
           memcmp(a->data + skip, b->data + skip, a->len - skip) == 0;
}

static const struct reload_held_value *same_anywhere(const struct reload_held_kind *held,
                                                     const struct reload_held_value *value)
{
    for (size_t i = 0; i < held->count; i++)
        if (is_same(held->entries[i], value))
            return held->entries[i];
    return NULL;
}

static uint16_t check_limits(struct reload_put *put, const struct reload_put_value *v,
                             const struct reload_held_value *present)
{
    const struct reload_kind_config *config = v->kind->config;
    const struct reload_held_kind *held = v->kind->held;
    if (v->value->value.n > config->max_size)
        return too_large(put, "a value is larger than max-size");
    if (v->value->model == RELOAD_MODEL_ARRAY && v->value->index >= config->max_count)
        return too_large(put, "an index is not below max-count");
    /* Removed values do not use up max-count, but there may not be more of them than that. */
    size_t alike = v->value->exists ? held->count - held->nonexistent : held->nonexistent;
    bool grows = !present || present->exists != v->value->exists;
    if (grows && alike >= config->max_count)
        return too_large(put, "more values than max-count");
    return 0;
}

static uint16_t put_value(struct reload_put *put, struct reload_put_value *v)
{
    uint16_t code = open_kind(put, v->kind);
    if (code)
        return code;
    struct reload_held_kind *held = v->kind->held;
    if (held->model == RELOAD_MODEL_ARRAY && v->value->index == RELOAD_ARRAY_LAST) {
        if (reload_put_is_replica(put) && same_anywhere(held, v->value))
            return 0; /* an append that was replicated as it came */
        set_index(v->value, append_index(held, v->kind->config->max_count));
    }
    const struct reload_held_value *present =
        reload_held_find(held, v->value->index, v->value->key);
    if (present && reload_put_is_replica(put) && is_same(present, v->value))
        return 0; /* a refresh: success without effect */
    if (present && v->value->storage_time_ms <= present->storage_time_ms)
        return too_old(put);
    code = check_limits(put, v, present);
    if (code)
        return code;
    if (reload_held_put(put->store, held, v->value, &v->old))
        return full(put, "no memory");
    v->is_put = v->kind->changed = true;
    return 0;
}

uint16_t reload_put_apply(struct reload_put *put)
{
    size_t replaced = 0;
    for (size_t i = 0; i < put->value_count; i++) {
        struct reload_put_value *v = &put->values[i];
        uint16_t code = put_value(put, v);
        if (code)
            return code;
        if (v->old)
            replaced += reload_held_value_bytes(v->old);
        if (reload_held_bytes(put->store) - replaced > put->store->limits.max_bytes)
            return full(put, "the store is full");
    }
    return 0;
}

/* --- the end --- */

static void fini(struct reload_put *put)
{
    for (size_t i = 0; i < put->value_count; i++)
        if (!put->values[i].is_put)
            reload_held_value_free(put->store, put->values[i].value);
    reload_free(put->values);
    reload_free(put->kinds);
    put->values = NULL;
    put->kinds = NULL;
    put->value_count = put->kind_count = 0;
}

void reload_put_undo(struct reload_put *put)
{
    for (size_t i = put->value_count; i > 0; i--) {
        struct reload_put_value *v = &put->values[i - 1];
        if (v->is_put)
            reload_held_take_back(put->store, v->value, v->old);
    }
    for (size_t i = 0; i < put->kind_count; i++)
        if (put->kinds[i].held)
            reload_held_kind_close(put->store, put->kinds[i].held);
    fini(put);
}

static void count_value(struct reload_put *put, const struct reload_put_value *v)
{
    struct reload_store_counters *counters = &put->store->counters;
    if (reload_put_is_replica(put))
        counters->replicated++;
    else
        counters->stored++;
    if (v->old)
        counters->replaced++;
    if (!v->value->exists)
        counters->removed++;
}

/* s7.4.1.1: an original store counts up by one for each Kind that changed; a replica brings the
 * number. */
static void set_generation(struct reload_put *put, struct reload_put_kind *kind)
{
    struct reload_held_kind *held = kind->held;
    uint64_t before = held->generation;
    if (reload_put_is_replica(put))
        held->generation = kind->data.generation_counter;
    else if (kind->changed)
        held->generation = before == UINT64_MAX ? 1 : before + 1;
    if (held->generation != before)
        reload_held_row_changed(put->store, &held->row);
}

void reload_put_commit(struct reload_put *put)
{
    for (size_t i = 0; i < put->value_count; i++) {
        struct reload_put_value *v = &put->values[i];
        if (!v->is_put)
            continue;
        count_value(put, v);
        reload_held_row_changed(put->store, &v->value->row);
        if (v->old)
            reload_held_drop(put->store, v->old);
    }
    for (size_t i = 0; i < put->kind_count; i++)
        if (put->kinds[i].held)
            set_generation(put, &put->kinds[i]);
    fini(put);
}
