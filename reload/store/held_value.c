#include "reload/alloc.h"
#include "reload/store/held.h"

/* One value. */

static uint64_t lifetime_ms(const struct reload_store *store, uint32_t lifetime_s,
                            const struct reload_identity *signer, struct reload_time now)
{
    uint64_t s =
        lifetime_s < store->limits.max_lifetime_s ? lifetime_s : store->limits.max_lifetime_s;
    uint64_t ms = s * 1000;
    /* s7.1: what the certificate no longer vouches for may be dropped at once. */
    uint64_t vouched = signer->not_after_ms > now.unix_ms ? signer->not_after_ms - now.unix_ms : 0;
    return ms < vouched ? ms : vouched;
}

static void write_u32(uint8_t *at, uint32_t n)
{
    struct reload_writer w = reload_writer_of(at, 4);
    reload_wr_u32(&w, n);
}

struct reload_held_value *reload_held_value_new(struct reload_store *store,
                                                const struct reload_stored_data *data,
                                                const struct reload_identity *signer,
                                                struct reload_time now)
{
    struct reload_held_value *v = reload_alloc(sizeof *v + data->raw.n);
    if (!v)
        return NULL;
    *v = (struct reload_held_value){ .model = data->value.model };
    v->certificate =
        reload_certificates_hold(&store->certificates, signer->certificate, signer->issuers);
    if (!v->certificate) {
        reload_free(v);
        return NULL;
    }
    uint64_t ms = lifetime_ms(store, data->lifetime_s, signer, now);
    v->expiry.at_ms = now.monotonic_ms + ms;
    v->expires_unix_ms = now.unix_ms + ms;
    v->storage_time_ms = data->storage_time_ms;
    v->index = data->value.index;
    v->exists = data->value.data.exists;
    v->len = data->raw.n;
    memcpy(v->data, data->raw.p, v->len);
    if (v->model == RELOAD_MODEL_ARRAY) /* s7.4.1.1: an append comes back with its real index */
        write_u32(v->data + RELOAD_STORED_VALUE_AT, v->index);
    if (v->model == RELOAD_MODEL_DICTIONARY)
        v->key = reload_slice_of(v->data + (data->value.key.p - data->raw.p), data->value.key.n);
    v->value = reload_slice_of(v->data + (data->value.data.value.p - data->raw.p),
                               data->value.data.value.n);
    return v;
}

void reload_held_value_free(struct reload_store *store, struct reload_held_value *value)
{
    reload_certificates_release(&store->certificates, value->certificate);
    reload_free(value);
}

uint32_t reload_held_lifetime_left(const struct reload_held_value *value, struct reload_time now)
{
    if (!reload_held_is_live(value, now))
        return 0;
    uint64_t s = (value->expiry.at_ms - now.monotonic_ms) / 1000;
    return s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

void reload_held_write(const struct reload_held_value *value, struct reload_time now,
                       struct reload_writer *w)
{
    reload_wr_bytes(w, reload_slice_of(value->data, RELOAD_STORED_LIFETIME_AT));
    reload_wr_u32(w, reload_held_lifetime_left(value, now));
    reload_wr_bytes(w, reload_slice_of(value->data + RELOAD_STORED_VALUE_AT,
                                       value->len - RELOAD_STORED_VALUE_AT));
}
