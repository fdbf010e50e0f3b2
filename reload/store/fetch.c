#include "reload/security/bucket.h"
#include "reload/store/refuse.h"
#include "reload/store/select.h"
#include "reload/wire/error.h"

/* Fetch (RFC 6940 s7.4.2). */

struct bucket {
    struct reload_writer *w;
    size_t start;
};

static void write_value(void *context, const struct reload_held_value *value,
                        struct reload_time now, struct reload_writer *answer)
{
    struct bucket *bucket = context;
    reload_held_write(value, now, answer);
    reload_certificates_write(value->certificate, bucket->w, bucket->start);
}

/* s7.4.2.2: what is not there is said without a signature; the answer's own covers it. */
static void write_nonexistent(void *context, enum reload_data_model model, uint32_t index,
                              struct reload_slice key, struct reload_writer *answer)
{
    (void)context;
    const struct reload_stored_data data = {
        .value = { .model = model, .index = index, .key = key },
        .signature = reload_signature_none(),
    };
    if (reload_stored_data_encode(answer, &data))
        reload_wr_fail(answer);
}

uint16_t reload_store_handle_fetch(struct reload_store *store, struct reload_slice body,
                                   struct reload_time now, struct reload_writer *answer,
                                   struct reload_writer *certificates)
{
    struct bucket bucket = { certificates, certificates->len };
    const struct reload_select select = { write_value, write_nonexistent, &bucket };
    size_t start = answer->len;
    uint16_t code = reload_select_answer(store, body, &select, now, answer);
    if (!code && reload_writer_status(certificates))
        code = reload_refuse(answer, start, RELOAD_ERROR_RESPONSE_TOO_LARGE, RELOAD_WHY_NO_ROOM);
    if (code) {
        certificates->len = bucket.start;
        certificates->failed = false;
        return code;
    }
    store->counters.fetched++;
    return 0;
}
