#include "certs/cache.h"

#include "reload/wire/security_block.h"

#define SLOTS 1024 /* a power of two */

struct reload_cert_alias {
    struct reload_cert_alias *next_in_slot, *next_of_entry;
    struct reload_cert_entry *entry;
    size_t node_id_index;
    uint8_t type, hash_algorithm, hash_len;
    uint8_t hash[RELOAD_DIGEST_MAX];
};

struct reload_cert_cache {
    struct reload_cert_alias *slots[SLOTS];
    struct reload_cert_entry *newest, *oldest;
    size_t count;
};

int reload_cert_cache_new(struct reload_cert_cache **out)
{
    *out = reload_calloc(1, sizeof **out);
    return *out ? 0 : RELOAD_E_NOMEM;
}

/* The names are digests: their own first bytes spread them well. */
static struct reload_cert_alias **slot_of(struct reload_cert_cache *cache, const uint8_t *hash)
{
    return &cache->slots[((size_t)hash[0] << 8 | hash[1]) & (SLOTS - 1)];
}

static void unlink_from_slot(struct reload_cert_cache *cache, struct reload_cert_alias *alias)
{
    struct reload_cert_alias **at = slot_of(cache, alias->hash);
    while (*at != alias)
        at = &(*at)->next_in_slot;
    *at = alias->next_in_slot;
}

static void list_remove(struct reload_cert_cache *cache, struct reload_cert_entry *e)
{
    *(e->newer ? &e->newer->older : &cache->newest) = e->older;
    *(e->older ? &e->older->newer : &cache->oldest) = e->newer;
    cache->count--;
}

static void list_push(struct reload_cert_cache *cache, struct reload_cert_entry *e)
{
    e->newer = NULL;
    e->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = e;
    cache->newest = e;
    cache->count++;
}

static void drop(struct reload_cert_cache *cache, struct reload_cert_entry *e)
{
    list_remove(cache, e);
    while (e->aliases) {
        struct reload_cert_alias *alias = e->aliases;
        e->aliases = alias->next_of_entry;
        unlink_from_slot(cache, alias);
        reload_free(alias);
    }
    EVP_PKEY_CTX_free(e->verify);
    reload_cert_free(e->certificate);
    reload_free(e);
}

void reload_cert_cache_clear(struct reload_cert_cache *cache)
{
    while (cache->oldest)
        drop(cache, cache->oldest);
}

void reload_cert_cache_free(struct reload_cert_cache *cache)
{
    if (!cache)
        return;
    reload_cert_cache_clear(cache);
    reload_free(cache);
}

static struct reload_cert_alias *lookup(struct reload_cert_cache *cache,
                                        const struct reload_cert_name *name)
{
    if (name->hash.n < 2)
        return NULL;
    struct reload_cert_alias *alias = *slot_of(cache, name->hash.p);
    while (alias && !(alias->type == name->type && alias->hash_algorithm == name->hash_algorithm &&
                      alias->hash_len == name->hash.n &&
                      memcmp(alias->hash, name->hash.p, name->hash.n) == 0))
        alias = alias->next_in_slot;
    return alias;
}

struct reload_cert_entry *reload_cert_cache_find(struct reload_cert_cache *cache,
                                                 const struct reload_cert_name *name,
                                                 size_t *node_id_index)
{
    struct reload_cert_alias *alias = lookup(cache, name);
    if (!alias)
        return NULL;
    if (alias->entry != cache->newest) {
        list_remove(cache, alias->entry);
        list_push(cache, alias->entry);
    }
    *node_id_index = alias->node_id_index;
    return alias->entry;
}

int reload_cert_cache_alias(struct reload_cert_cache *cache, struct reload_cert_entry *entry,
                            const struct reload_cert_name *name, size_t node_id_index)
{
    if (name->hash.n < 2 || name->hash.n > RELOAD_DIGEST_MAX)
        return RELOAD_E_INVALID;
    if (lookup(cache, name))
        return 0;
    struct reload_cert_alias *alias = reload_calloc(1, sizeof *alias);
    if (!alias)
        return RELOAD_E_NOMEM;
    alias->entry = entry;
    alias->node_id_index = node_id_index;
    alias->type = name->type;
    alias->hash_algorithm = name->hash_algorithm;
    alias->hash_len = (uint8_t)name->hash.n;
    memcpy(alias->hash, name->hash.p, name->hash.n);
    alias->next_of_entry = entry->aliases;
    entry->aliases = alias;
    alias->next_in_slot = *slot_of(cache, alias->hash);
    *slot_of(cache, alias->hash) = alias;
    return 0;
}

int reload_cert_cache_add_take(struct reload_cert_cache *cache, struct reload_cert *certificate,
                               struct reload_cert_window window, uint64_t *evicted,
                               struct reload_cert_entry **out)
{
    struct reload_cert_entry *e = reload_calloc(1, sizeof *e);
    *out = e;
    if (!e) {
        reload_cert_free(certificate);
        return RELOAD_E_NOMEM;
    }
    if (cache->count == RELOAD_CERT_CACHE_MAX) {
        drop(cache, cache->oldest);
        ++*evicted;
    }
    reload_cert_compact(certificate);
    e->certificate = certificate;
    e->identity = *reload_cert_content(certificate);
    e->window = window;
    list_push(cache, e);
    return 0;
}
