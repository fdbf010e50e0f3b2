#include "reload/wire/stat.h"
#include "reload/store/select.h"

/* Stat (RFC 6940 s7.4.3). */

static void write_meta_data(struct reload_stored_meta_data *data, struct reload_writer *answer)
{
    if (reload_stored_meta_data_encode(answer, data))
        reload_wr_fail(answer);
}

static void write_value(void *context, const struct reload_held_value *value,
                        struct reload_time now, struct reload_writer *answer)
{
    const struct reload_crypto *crypto = context;
    uint8_t digest[RELOAD_DIGEST_MAX];
    size_t len = 0;
    /* s7.4.3.2: over the value and its 4 length bytes, which stand in front of it. */
    struct reload_slice hashed = { value->value.p - 4, value->value.n + 4 };
    if (crypto->ops->digest(crypto->context, RELOAD_HASH_SHA256, &hashed, 1, digest, &len)) {
        reload_wr_fail(answer);
        return;
    }
    struct reload_stored_meta_data data = {
        .storage_time_ms = value->storage_time_ms,
        .lifetime_s = reload_held_lifetime_left(value, now),
        .model = value->model,
        .index = value->index,
        .key = value->key,
        .data = { value->exists, (uint32_t)value->value.n, RELOAD_HASH_SHA256, { digest, len } },
    };
    write_meta_data(&data, answer);
}

static void write_nonexistent(void *context, enum reload_data_model model, uint32_t index,
                              struct reload_slice key, struct reload_writer *answer)
{
    (void)context;
    struct reload_stored_meta_data data = { .model = model, .index = index, .key = key };
    write_meta_data(&data, answer);
}

uint16_t reload_store_handle_stat(struct reload_store *store, struct reload_slice body,
                                  struct reload_time now, struct reload_writer *answer)
{
    union { /* the context is not changed */
        const struct reload_crypto *in;
        void *out;
    } crypto = { store->crypto };
    const struct reload_select select = { write_value, write_nonexistent, crypto.out };
    return reload_select_answer(store, body, &select, now, answer);
}
