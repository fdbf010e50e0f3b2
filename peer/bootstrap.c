#include "peer/bootstrap.h"

#include <string.h>

#include "certs/file.h"
#include "peer/address.h"

static GArray *addresses_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(struct reload_link_address));
}

static const struct reload_link_address *at(const GArray *array, guint i)
{
    return &g_array_index(array, struct reload_link_address, i);
}

static int index_of(const GArray *array, const struct reload_link_address *address)
{
    for (guint i = 0; i < array->len; i++)
        if (reload_link_address_equal(at(array, i), address))
            return (int)i;
    return -1;
}

static void load(struct reload_bootstrap *b)
{
    char *text = NULL;
    if (!b->path || !g_file_get_contents(b->path, &text, NULL, NULL))
        return;
    char **lines = g_strsplit(text, "\n", RELOAD_BOOTSTRAP_CACHE_MAX + 1);
    for (char **line = lines; *line && b->cache->len < RELOAD_BOOTSTRAP_CACHE_MAX; line++) {
        struct reload_link_address address;
        if (reload_address_read(*line, 0, &address) == 0 && address.port)
            g_array_append_val(b->cache, address);
    }
    g_strfreev(lines);
    g_free(text);
}

void reload_bootstrap_init(struct reload_bootstrap *b, const char *cache_path,
                           const struct reload_random *random)
{
    *b = (struct reload_bootstrap){ .path = g_strdup(cache_path), .random = random };
    b->cache = addresses_new();
    b->fixed = addresses_new();
    b->own = addresses_new();
    b->round = addresses_new();
    load(b);
}

void reload_bootstrap_save(struct reload_bootstrap *b)
{
    if (!b->path || !b->cache_changed)
        return;
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < b->cache->len; i++) {
        char line[RELOAD_LINK_ADDRESS_TEXT];
        g_string_append_printf(text, "%s\n", reload_link_address_text(at(b->cache, i), line));
    }
    /* a failure is not worth a second try: the next change brings one */
    (void)!reload_cert_file_write(b->path, reload_slice_of(text->str, text->len), false, NULL);
    b->cache_changed = false;
    g_string_free(text, TRUE);
}

void reload_bootstrap_fini(struct reload_bootstrap *b)
{
    if (!b->cache)
        return;
    reload_bootstrap_save(b);
    g_array_unref(b->cache);
    g_array_unref(b->fixed);
    g_array_unref(b->own);
    g_array_unref(b->round);
    g_free(b->path);
}

/* Adds an address at a random place of the part of the round that starts at `from`. */
static void add(struct reload_bootstrap *b, guint from, const struct reload_link_address *address)
{
    if (index_of(b->own, address) >= 0 || index_of(b->round, address) >= 0)
        return;
    guint places = b->round->len - from + 1;
    guint place = from + (guint)(reload_random_u64(b->random) % places);
    g_array_insert_vals(b->round, place, address, 1);
}

size_t reload_bootstrap_begin(struct reload_bootstrap *b, const struct reload_config *config)
{
    g_array_set_size(b->round, 0);
    for (guint i = 0; i < b->cache->len; i++) /* s11.4: cached peers may come first */
        add(b, 0, at(b->cache, i));
    guint from = b->round->len;
    for (guint i = 0; i < b->fixed->len; i++)
        add(b, from, at(b->fixed, i));
    for (size_t i = 0; i < config->bootstrap_node_count; i++) {
        const struct reload_bootstrap_node *node = &config->bootstrap_nodes[i];
        struct reload_link_address address;
        if (reload_link_address_parse(node->address, node->port, &address) == 0)
            add(b, from, &address);
    }
    return b->round->len;
}

bool reload_bootstrap_next(struct reload_bootstrap *b, struct reload_link_address *out)
{
    if (b->round->len == 0)
        return false;
    *out = *at(b->round, 0);
    g_array_remove_index(b->round, 0);
    return true;
}

static void drop_failure(struct reload_bootstrap *b, size_t i)
{
    b->failure_count--;
    memmove(&b->failures[i], &b->failures[i + 1], (b->failure_count - i) * sizeof b->failures[0]);
}

void reload_bootstrap_failed(struct reload_bootstrap *b, const struct reload_link_address *address,
                             bool udp, int error, const char *reason)
{
    for (size_t i = 0; i < b->failure_count; i++)
        if (b->failures[i].udp == udp &&
            reload_link_address_equal(&b->failures[i].address, address))
            drop_failure(b, i);
    if (b->failure_count == RELOAD_BOOTSTRAP_FAILURES_MAX)
        drop_failure(b, 0);
    struct reload_bootstrap_failure *failure = &b->failures[b->failure_count++];
    *failure = (struct reload_bootstrap_failure){ .address = *address, .udp = udp, .error = error };
    g_strlcpy(failure->reason, reason, sizeof failure->reason);
}

void reload_bootstrap_reached(struct reload_bootstrap *b)
{
    b->failure_count = 0;
    b->failed_rounds = 0;
    b->not_before_ms = 0;
    g_array_set_size(b->round, 0);
}

void reload_bootstrap_missed(struct reload_bootstrap *b, uint64_t now_ms)
{
    unsigned doublings = MIN(b->failed_rounds, 6);
    uint64_t pause =
        MIN((uint64_t)RELOAD_BOOTSTRAP_PAUSE_MS << doublings, RELOAD_BOOTSTRAP_PAUSE_MAX);
    b->failed_rounds++;
    /* between half and the whole, so that nodes that fail together do not come back together */
    b->not_before_ms = now_ms + pause / 2 + reload_random_u64(b->random) % (pause / 2 + 1);
}

void reload_bootstrap_remember(struct reload_bootstrap *b,
                               const struct reload_link_address *address)
{
    if (index_of(b->cache, address) >= 0)
        return;
    g_array_prepend_vals(b->cache, address, 1);
    if (b->cache->len > RELOAD_BOOTSTRAP_CACHE_MAX)
        g_array_set_size(b->cache, RELOAD_BOOTSTRAP_CACHE_MAX);
    b->cache_changed = true;
}
