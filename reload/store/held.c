#include "reload/store/held.h"

#include "reload/alloc.h"

/* --- resources and Kinds --- */

static struct reload_held_resource *resource_find(const struct reload_store *store,
                                                  struct reload_slice id)
{
    return (struct reload_held_resource *)reload_tree_find(&store->resources, id);
}

static size_t resource_bytes(const struct reload_held_resource *resource)
{
    return RELOAD_HELD_BLOCK + sizeof *resource + resource->node.key.n;
}

static size_t kind_bytes(const struct reload_held_kind *kind)
{
    return 2 * RELOAD_HELD_BLOCK + sizeof *kind + kind->node.key.n; /* the other: of its entries */
}

static struct reload_held_resource *resource_open(struct reload_store *store,
                                                  struct reload_slice id)
{
    struct reload_held_resource *r = resource_find(store, id);
    if (r)
        return r;
    r = reload_calloc(1, sizeof *r + id.n);
    if (!r)
        return NULL;
    if (id.n)
        memcpy(r->id, id.p, id.n);
    r->node.key = reload_slice_of(r->id, id.n);
    reload_tree_insert(&store->resources, &r->node);
    store->bytes += resource_bytes(r);
    return r;
}

void reload_held_resource_leave(struct reload_held_resource *resource)
{
    if (--resource->users == 0)
        reload_free(resource);
}

struct reload_held_kind *reload_held_kind_find(const struct reload_store *store,
                                               struct reload_slice resource, uint32_t kind)
{
    struct reload_held_resource *r = resource_find(store, resource);
    struct reload_held_kind *k = r ? r->kinds : NULL;
    while (k && k->id < kind)
        k = k->next;
    return k && k->id == kind ? k : NULL;
}

static struct reload_held_kind *kind_new(struct reload_held_resource *resource,
                                         const struct reload_kind_config *config)
{
    struct reload_slice id = resource->node.key;
    struct reload_held_kind *k = reload_calloc(1, sizeof *k + 4 + id.n);
    if (!k)
        return NULL;
    k->row.is_generation = true;
    k->resource = resource;
    k->id = config->id;
    k->model = config->data_model;
    k->access = reload_access_find(config->access_control);
    struct reload_writer w = reload_writer_of(k->key, 4 + id.n);
    reload_wr_u32(&w, k->id);
    reload_wr_bytes(&w, id);
    k->node.key = reload_writer_slice(&w);
    return k;
}

static void unlink_empty_resource(struct reload_store *store, struct reload_held_resource *resource)
{
    if (resource->kinds)
        return;
    store->bytes -= resource_bytes(resource);
    reload_tree_remove(&store->resources, &resource->node);
}

struct reload_held_kind *reload_held_kind_open(struct reload_store *store,
                                               struct reload_slice resource,
                                               const struct reload_kind_config *config)
{
    struct reload_held_kind *k = reload_held_kind_find(store, resource, config->id);
    if (k)
        return k;
    struct reload_held_resource *r = resource_open(store, resource);
    if (!r)
        return NULL;
    r->users++;
    k = kind_new(r, config);
    if (!k) {
        unlink_empty_resource(store, r);
        reload_held_resource_leave(r);
        return NULL;
    }
    struct reload_held_kind **at = &r->kinds;
    while (*at && (*at)->id < k->id)
        at = &(*at)->next;
    k->next = *at;
    *at = k;
    reload_tree_insert(&store->kinds, &k->node);
    store->bytes += kind_bytes(k);
    store->empty_kinds++;
    return k;
}

void reload_held_kind_close(struct reload_store *store, struct reload_held_kind *kind)
{
    if (kind->count > 0)
        return;
    struct reload_held_kind **at = &kind->resource->kinds;
    while (*at != kind)
        at = &(*at)->next;
    *at = kind->next;
    reload_tree_remove(&store->kinds, &kind->node);
    store->bytes -= kind_bytes(kind);
    unlink_empty_resource(store, kind->resource);
    store->empty_kinds--;
    reload_free(kind->entries);
    kind->entries = NULL;
    reload_held_row_removed(store, &kind->row);
}

/* --- values in their Kind --- */

static int compare_entry(const struct reload_held_value *value, uint32_t index,
                         struct reload_slice key)
{
    switch (value->model) {
    case RELOAD_MODEL_SINGLE: return 0;
    case RELOAD_MODEL_ARRAY: return (value->index > index) - (value->index < index);
    case RELOAD_MODEL_DICTIONARY: return reload_tree_compare(value->key, key);
    }
    return 0;
}

/* Where an entry is, or belongs. */
static size_t place_of(const struct reload_held_kind *kind, uint32_t index, struct reload_slice key)
{
    size_t low = 0, high = kind->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_entry(kind->entries[middle], index, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct reload_held_kind *kind, size_t place, uint32_t index,
                  struct reload_slice key)
{
    return place < kind->count && compare_entry(kind->entries[place], index, key) == 0;
}

struct reload_held_value *reload_held_find(const struct reload_held_kind *kind, uint32_t index,
                                           struct reload_slice key)
{
    size_t place = place_of(kind, index, key);
    return is_at(kind, place, index, key) ? kind->entries[place] : NULL;
}

static void age_append(struct reload_held_kind *kind, struct reload_held_value *value)
{
    value->older = kind->newest;
    value->newer = NULL;
    if (kind->newest)
        kind->newest->newer = value;
    else
        kind->oldest = value;
    kind->newest = value;
}

static void age_remove(struct reload_held_kind *kind, struct reload_held_value *value)
{
    if (value->older)
        value->older->newer = value->newer;
    else
        kind->oldest = value->newer;
    if (value->newer)
        value->newer->older = value->older;
    else
        kind->newest = value->older;
}

static int make_room(struct reload_held_kind *kind)
{
    if (kind->count < kind->cap)
        return 0;
    size_t cap = kind->cap ? 2 * kind->cap : 1;
    struct reload_held_value **entries = reload_realloc(kind->entries, cap * sizeof *entries);
    if (!entries)
        return RELOAD_E_NOMEM;
    kind->entries = entries;
    kind->cap = cap;
    return 0;
}

/* Counts a value in (+) or out of the store, apart from its place among the entries. */
static void count_in(struct reload_store *store, struct reload_held_kind *kind,
                     struct reload_held_value *value)
{
    age_append(kind, value);
    store->bytes += reload_held_value_bytes(value);
    store->value_count++;
}

static void count_out(struct reload_store *store, struct reload_held_value *value)
{
    age_remove(value->kind, value);
    reload_expiry_remove(&store->expiry, &value->expiry);
    store->bytes -= reload_held_value_bytes(value);
    store->value_count--;
}

static void insert_at(struct reload_store *store, struct reload_held_kind *kind, size_t place,
                      struct reload_held_value *value)
{
    if (kind->count == 0)
        store->empty_kinds--;
    memmove(kind->entries + place + 1, kind->entries + place,
            (kind->count - place) * sizeof kind->entries[0]);
    kind->entries[place] = value;
    kind->count++;
    kind->nonexistent += !value->exists;
}

static void remove_at(struct reload_store *store, struct reload_held_kind *kind, size_t place)
{
    kind->nonexistent -= !kind->entries[place]->exists;
    kind->count--;
    memmove(kind->entries + place, kind->entries + place + 1,
            (kind->count - place) * sizeof kind->entries[0]);
    if (kind->count == 0)
        store->empty_kinds++;
}

static void exchange_at(struct reload_held_kind *kind, size_t place,
                        struct reload_held_value *value)
{
    kind->nonexistent -= !kind->entries[place]->exists;
    kind->nonexistent += !value->exists;
    kind->entries[place] = value;
}

int reload_held_put(struct reload_store *store, struct reload_held_kind *kind,
                    struct reload_held_value *value, struct reload_held_value **old)
{
    int error = make_room(kind);
    if (!error)
        error = reload_expiry_add(&store->expiry, &value->expiry);
    if (error)
        return error;
    value->kind = kind;
    value->kind_id = kind->id;
    value->resource = kind->resource;
    value->serial = ++store->serial;
    size_t place = place_of(kind, value->index, value->key);
    *old = NULL;
    if (is_at(kind, place, value->index, value->key)) {
        *old = kind->entries[place];
        exchange_at(kind, place, value);
    } else {
        insert_at(store, kind, place, value);
    }
    count_in(store, kind, value);
    return 0;
}

void reload_held_take_back(struct reload_store *store, struct reload_held_value *value,
                           struct reload_held_value *old)
{
    struct reload_held_kind *kind = value->kind;
    size_t place = place_of(kind, value->index, value->key);
    if (old)
        exchange_at(kind, place, old);
    else
        remove_at(store, kind, place);
    count_out(store, value);
    reload_held_value_free(store, value);
}

static void let_go(struct reload_store *store, struct reload_held_value *value)
{
    count_out(store, value);
    reload_certificates_release(&store->certificates, value->certificate);
    value->certificate = NULL;
}

void reload_held_drop(struct reload_store *store, struct reload_held_value *old)
{
    let_go(store, old);
    reload_held_row_replaced(store, &old->row);
    reload_free(old);
}

void reload_held_remove(struct reload_store *store, struct reload_held_value *value)
{
    struct reload_held_kind *kind = value->kind;
    remove_at(store, kind, place_of(kind, value->index, value->key));
    let_go(store, value);
    reload_held_row_removed(store, &value->row);
    reload_held_kind_close(store, kind);
}

void reload_held_kind_remove(struct reload_store *store, struct reload_held_kind *kind)
{
    if (kind->count == 0) {
        reload_held_kind_close(store, kind);
        return;
    }
    for (size_t left = kind->count; left > 0; left--) /* the last one closes the Kind */
        reload_held_remove(store, kind->entries[left - 1]);
}

void reload_held_resource_remove(struct reload_store *store, struct reload_held_resource *resource)
{
    struct reload_held_kind *next;
    for (struct reload_held_kind *kind = resource->kinds; kind; kind = next) {
        next = kind->next;
        reload_held_kind_remove(store, kind);
    }
}
