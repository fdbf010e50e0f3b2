#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "reload/store/store.h"
#include "tests/sim/standin.h"

/* Rows of the database as they come back at a start: each is what is written here, one after the
 * other. What is refused leaves nothing behind, and nothing outlives the longest lifetime. */

static struct reload_store *new_store(const struct reload_standin *standin,
                                      const struct reload_standin_config *config)
{
    static const struct reload_store_limits limits = { 1 << 20, 1000, 30 * 86400 };
    struct reload_store *store;
    if (reload_store_new(reload_standin_crypto(standin), &config->config,
                         reload_standin_resource_id, &limits, &store))
        abort();
    return store;
}

static bool read_row(struct reload_reader *r, struct reload_store_row *row)
{
    uint8_t flags = reload_rd_u8(r);
    *row = (struct reload_store_row){ .is_generation = flags & 1, .removed = flags & 2 };
    row->resource = reload_rd_opaque8(r);
    row->kind = reload_rd_u32(r);
    row->entry = reload_rd_opaque8(r);
    row->generation = reload_rd_u64(r);
    row->expires_ms = reload_rd_u64(r);
    row->stored_data = reload_rd_opaque16(r);
    row->certificate = reload_rd_opaque16(r);
    return !r->failed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reload_standin_config config;
    struct reload_time now = { 1000, 1800000000000 };
    struct reload_node_id self = reload_standin_node_id(1);
    reload_standin_config_init(&config);
    struct reload_standin_certificate own =
        reload_standin_certificate(&config.config, &self, "user@overlay.example");
    struct reload_standin *standin = reload_standin_new(&config.config, &own, 0);
    struct reload_store *store = new_store(standin, &config);
    struct reload_reader r = reload_reader_of(data, size);
    struct reload_store_row row;
    while (reload_reader_more(&r) && read_row(&r, &row)) {
        size_t before = reload_store_value_count(store);
        if (reload_store_load(store, &row, now) != 0 && reload_store_value_count(store) != before)
            abort();
    }
    now.monotonic_ms += 40u * 86400000u; /* past the longest lifetime there is */
    now.unix_ms += 40u * 86400000u;
    reload_store_tick(store, now);
    if (reload_store_value_count(store) != 0)
        abort();
    reload_store_free(store);
    reload_standin_free(standin);
    return 0;
}
