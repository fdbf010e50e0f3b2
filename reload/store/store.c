#include "reload/store/store.h"

#include "reload/alloc.h"
#include "reload/store/held.h"

int reload_store_new(const struct reload_crypto *crypto, const struct reload_config *config,
                     reload_resource_id_function *resource_id,
                     const struct reload_store_limits *limits, struct reload_store **out)
{
    struct reload_store *store = reload_calloc(1, sizeof *store);
    if (!store)
        return RELOAD_E_NOMEM;
    store->crypto = crypto;
    store->config = config;
    store->resource_id = resource_id;
    store->limits = *limits;
    *out = store;
    return 0;
}

void reload_store_free(struct reload_store *store)
{
    if (!store)
        return;
    reload_held_rows_fini(store);
    store->rows.on = false;
    while (store->resources.root)
        reload_held_resource_remove(store, (struct reload_held_resource *)store->resources.root);
    reload_expiry_fini(&store->expiry);
    reload_free(store);
}

/* --- configuration --- */

/* s11.1: a Kind that is no longer there goes with all its data. So does one that means something
 * else now: other bytes, or other writers. */
static bool is_still_the_kind(const struct reload_config *config,
                              const struct reload_held_kind *kind)
{
    const struct reload_kind_config *now = reload_config_kind(config, kind->id);
    return now && now->data_model == kind->model &&
           reload_access_find(now->access_control) == kind->access;
}

void reload_store_configure(struct reload_store *store, const struct reload_config *config)
{
    reload_held_rows_settle(store);
    store->config = config;
    struct reload_tree_node *next = reload_tree_first(&store->kinds);
    while (next) {
        struct reload_held_kind *kind = reload_held_kind_of_node(next);
        next = reload_tree_after(&store->kinds, next->key);
        if (!is_still_the_kind(config, kind))
            reload_held_kind_remove(store, kind);
    }
}

/* --- time --- */

uint64_t reload_store_deadline(const struct reload_store *store)
{
    if (store->empty_kinds > 0)
        return 0;
    const struct reload_expiry_item *first = reload_expiry_first(&store->expiry);
    return first ? first->at_ms : RELOAD_NEVER;
}

static struct reload_held_value *value_of_item(struct reload_expiry_item *item)
{
    char *at = (char *)item - offsetof(struct reload_held_value, expiry);
    return (struct reload_held_value *)(void *)at;
}

/* Counters that were loaded, and whose values all had expired. */
static void drop_empty_kinds(struct reload_store *store)
{
    struct reload_tree_node *next = reload_tree_first(&store->kinds);
    while (next && store->empty_kinds > 0) {
        struct reload_held_kind *kind = reload_held_kind_of_node(next);
        next = reload_tree_after(&store->kinds, next->key);
        reload_held_kind_close(store, kind);
    }
}

void reload_store_tick(struct reload_store *store, struct reload_time now)
{
    reload_held_rows_settle(store);
    if (store->empty_kinds > 0)
        drop_empty_kinds(store);
    struct reload_expiry_item *first;
    while ((first = reload_expiry_first(&store->expiry)) && first->at_ms <= now.monotonic_ms) {
        reload_held_remove(store, value_of_item(first));
        store->counters.expired++;
    }
}

/* --- looking in --- */

size_t reload_store_resource_count(const struct reload_store *store)
{
    return store->resources.count;
}

size_t reload_store_value_count(const struct reload_store *store)
{
    return store->value_count;
}

size_t reload_store_bytes(const struct reload_store *store)
{
    return reload_held_bytes(store);
}

bool reload_store_holds(const struct reload_store *store, struct reload_slice resource,
                        uint32_t kind)
{
    const struct reload_held_kind *held = reload_held_kind_find(store, resource, kind);
    return held && held->count > 0;
}

const struct reload_store_counters *reload_store_counters(const struct reload_store *store)
{
    return &store->counters;
}
