#include "reload/alloc.h"
#include "reload/security/bucket.h"
#include "reload/security/signature.h"
#include "reload/store/held.h"

/* Rows for the host's disk, in the order of the changes: what is stored or counted up, and what has
 * gone. Removed values and Kinds stay in memory until their rows have been taken. */

static struct reload_held_value *value_of(struct reload_held_row *row)
{
    return (struct reload_held_value *)row; /* its first member */
}

static struct reload_held_kind *kind_of(struct reload_held_row *row)
{
    return (struct reload_held_kind *)row; /* its first member */
}

static void queue(struct reload_held_rows *rows, struct reload_held_row *row)
{
    row->prev = rows->last;
    row->next = NULL;
    if (rows->last)
        rows->last->next = row;
    else
        rows->first = row;
    rows->last = row;
    row->queued = true;
}

static void unqueue(struct reload_held_rows *rows, struct reload_held_row *row)
{
    if (!row->queued)
        return;
    if (row->prev)
        row->prev->next = row->next;
    else
        rows->first = row->next;
    if (row->next)
        row->next->prev = row->prev;
    else
        rows->last = row->prev;
    row->queued = false;
}

static void release(struct reload_held_row *row)
{
    struct reload_held_resource *resource =
        row->is_generation ? kind_of(row)->resource : value_of(row)->resource;
    reload_held_resource_leave(resource);
    reload_free(row);
}

void reload_held_row_changed(struct reload_store *store, struct reload_held_row *row)
{
    if (!store->rows.on)
        return;
    unqueue(&store->rows, row);
    queue(&store->rows, row);
    row->on_disk = true;
}

void reload_held_row_replaced(struct reload_store *store, struct reload_held_row *row)
{
    unqueue(&store->rows, row);
}

void reload_held_row_removed(struct reload_store *store, struct reload_held_row *row)
{
    unqueue(&store->rows, row);
    if (!row->is_generation)
        value_of(row)->resource->users++; /* a Kind is a user of its resource already */
    if (!store->rows.on || !row->on_disk) {
        release(row);
        return;
    }
    row->removed = true;
    queue(&store->rows, row);
}

void reload_held_rows_settle(struct reload_store *store)
{
    while (store->rows.shown) {
        struct reload_held_row *row = store->rows.shown;
        store->rows.shown = row->next;
        release(row);
    }
}

void reload_held_rows_fini(struct reload_store *store)
{
    struct reload_store_row row;
    while (reload_store_next_row(store, &row))
        reload_held_rows_settle(store);
    reload_held_rows_settle(store);
}

/* --- out --- */

void reload_store_persist(struct reload_store *store, bool on)
{
    store->rows.on = on;
}

static void describe_value(struct reload_held_value *v, struct reload_store_row *row)
{
    row->resource = v->resource->node.key;
    row->kind = v->kind_id;
    row->entry = v->key;
    if (v->model == RELOAD_MODEL_ARRAY)
        row->entry = reload_slice_of(v->data + RELOAD_STORED_VALUE_AT, 4);
    if (v->row.removed)
        return;
    row->generation = v->kind->generation;
    row->expires_ms = v->expires_unix_ms;
    row->stored_data = reload_slice_of(v->data, v->len);
    row->certificate = v->certificate->node.key;
    row->issuers = v->certificate->issuers;
}

static void describe_generation(struct reload_held_kind *k, struct reload_store_row *row)
{
    row->resource = k->resource->node.key;
    row->kind = k->id;
    row->is_generation = true;
    row->generation = k->generation;
}

bool reload_store_next_row(struct reload_store *store, struct reload_store_row *row)
{
    struct reload_held_row *first = store->rows.first;
    if (!first)
        return false;
    unqueue(&store->rows, first);
    *row = (struct reload_store_row){ .removed = first->removed };
    if (first->is_generation)
        describe_generation(kind_of(first), row);
    else
        describe_value(value_of(first), row);
    if (first->removed) {
        first->next = store->rows.shown;
        store->rows.shown = first;
    }
    return true;
}

/* --- in --- */

#define GENERIC_CERTIFICATE_HEAD 3 /* type and length, s6.3.4 */

static int load_generation(struct reload_store *store, const struct reload_store_row *row,
                           const struct reload_kind_config *config)
{
    struct reload_held_kind *kind = reload_held_kind_open(store, row->resource, config);
    if (!kind)
        return RELOAD_E_NOMEM;
    if (row->generation > kind->generation)
        kind->generation = row->generation;
    kind->row.on_disk = true;
    return 0;
}

/* What the row says, checked as if it had just come in a replica. */
static int check_row(struct reload_store *store, const struct reload_store_row *row,
                     const struct reload_kind_config *config, struct reload_time now,
                     struct reload_stored_data *data, struct reload_signer *signer)
{
    struct reload_reader r = reload_reader_over(row->stored_data);
    if (reload_stored_data_decode(&r, config->data_model, data) || reload_reader_finish(&r))
        return RELOAD_E_DECODE;
    if (row->expires_ms <= now.unix_ms)
        return RELOAD_E_EXPIRED;

    size_t room = GENERIC_CERTIFICATE_HEAD + row->certificate.n + row->issuers.n;
    uint8_t *bytes = reload_alloc(room);
    if (!bytes)
        return RELOAD_E_NOMEM;
    struct reload_writer bucket = reload_writer_of(bytes, room);
    const struct reload_certificate own = { RELOAD_CERTIFICATE_X509, row->certificate };
    reload_bucket_add(&bucket, 0, &own);
    reload_wr_bytes(&bucket, row->issuers);
    int error = reload_writer_status(&bucket)
                    ? RELOAD_E_CERTIFICATE
                    : reload_value_verify(store->crypto, row->resource, row->kind, data,
                                          reload_writer_slice(&bucket), now, signer);
    reload_free(bytes);
    if (error)
        return error;
    const struct reload_access_question question = {
        .config = store->config,
        .kind = config,
        .resource = row->resource,
        .key = data->value.key,
        .index = data->value.index,
        .exists = data->value.data.exists,
        .value = data->value.data.value,
        .signer = signer,
    };
    return reload_access_allows(&question, store->crypto, store->resource_id);
}

static uint32_t seconds_left(const struct reload_store_row *row, struct reload_time now)
{
    uint64_t s = (row->expires_ms - now.unix_ms + 999) / 1000;
    return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

static int load_value(struct reload_store *store, const struct reload_store_row *row,
                      const struct reload_kind_config *config, struct reload_time now)
{
    struct reload_stored_data data;
    struct reload_signer signer;
    int error = check_row(store, row, config, now, &data, &signer);
    if (error)
        return error;
    data.lifetime_s = seconds_left(row, now);
    if (config->data_model == RELOAD_MODEL_ARRAY && row->entry.n == 4) {
        struct reload_reader r = reload_reader_over(row->entry);
        data.value.index = reload_rd_u32(&r);
    }
    if (data.value.data.value.n > config->max_size ||
        (config->data_model == RELOAD_MODEL_ARRAY && data.value.index >= config->max_count))
        return RELOAD_E_LIMIT;

    struct reload_held_kind *kind = reload_held_kind_open(store, row->resource, config);
    if (!kind)
        return RELOAD_E_NOMEM;
    struct reload_held_value *old = NULL;
    struct reload_held_value *value = reload_held_value_new(store, &data, signer.identity, now);
    error = value ? reload_held_put(store, kind, value, &old) : RELOAD_E_NOMEM;
    if (error && value)
        reload_held_value_free(store, value);
    if (!error && reload_held_bytes(store) > store->limits.max_bytes) {
        reload_held_take_back(store, value, old);
        error = RELOAD_E_LIMIT;
    }
    if (error) {
        reload_held_kind_close(store, kind);
        return error;
    }
    if (old)
        reload_held_drop(store, old);
    value->row.on_disk = kind->row.on_disk = true;
    if (row->generation > kind->generation)
        kind->generation = row->generation;
    if (kind->generation == 0) /* s7.4.1.1: stored data has 1 or more */
        kind->generation = 1;
    return 0;
}

int reload_store_load(struct reload_store *store, const struct reload_store_row *row,
                      struct reload_time now)
{
    const struct reload_kind_config *config = reload_config_kind(store->config, row->kind);
    reload_held_rows_settle(store);
    if (!config)
        return RELOAD_E_NOT_FOUND;
    if (row->resource.n > RELOAD_RESOURCE_ID_MAX)
        return RELOAD_E_DECODE;
    if (store->resources.count >= store->limits.max_resources &&
        !reload_tree_find(&store->resources, row->resource))
        return RELOAD_E_LIMIT;
    bool persists = store->rows.on; /* what comes from disk need not go back to it */
    store->rows.on = false;
    int error = row->is_generation ? load_generation(store, row, config)
                                   : load_value(store, row, config, now);
    store->rows.on = persists;
    return error;
}
