#include "reload/store/fetched.h"

#include <stdlib.h>
#include <string.h>

#include "reload/security/signature.h"
#include "reload/wire/fetch.h"
#include "reload/wire/store.h"

/* --- what came back (RFC 6940 s7.4.2.2) --- */

/* s7.4.2.2: one FetchKindResponse for each Kind-ID. Only Kinds that are used are looked at, so that
 * a long answer costs no more than their number times its length. */
static bool repeats_a_kind(const struct reload_config *config, struct reload_reader kinds)
{
    struct reload_fetch_kind_response response, earlier;
    struct reload_reader r = kinds;
    for (size_t i = 0; reload_fetch_kind_response_next(&r, &response); i++) {
        if (!reload_config_kind(config, response.kind))
            continue;
        struct reload_reader before = kinds;
        for (size_t j = 0; j < i && reload_fetch_kind_response_next(&before, &earlier); j++)
            if (earlier.kind == response.kind)
                return true;
    }
    return false;
}

int reload_fetched_begin(struct reload_fetched *walk, struct reload_slice body)
{
    struct reload_fetch_ans ans;
    int error = reload_fetch_ans_decode(body, &ans);
    if (error)
        return error;
    walk->kinds = reload_reader_over(ans.kind_responses);
    if (repeats_a_kind(walk->config, walk->kinds))
        return RELOAD_E_DECODE;
    walk->values = reload_reader_of(NULL, 0);
    walk->rejected = 0;
    return 0;
}

/* What a storing peer says of a value that it has never seen: no signature, and no bytes. */
static bool is_synthetic(const struct reload_stored_data *data)
{
    const struct reload_signature *s = &data->signature;
    return !data->value.data.exists && data->value.data.value.n == 0 && s->hash_algorithm == 0 &&
           s->signature_algorithm == 0 && s->identity.type == RELOAD_SIGNER_NONE && s->value.n == 0;
}

static int judge(const struct reload_fetched *walk, const struct reload_kind_config *kind,
                 const struct reload_stored_data *data, struct reload_signer *signer)
{
    int error = reload_value_verify(walk->crypto, walk->resource, kind->id, data,
                                    walk->certificates, walk->now, signer);
    if (error)
        return error;
    const struct reload_access_question question = {
        .config = walk->config,
        .kind = kind,
        .resource = walk->resource,
        .key = data->value.key,
        .index = data->value.index,
        .exists = data->value.data.exists,
        .value = data->value.data.value,
        .signer = signer,
    };
    return reload_access_allows(&question, walk->crypto, walk->resource_id);
}

static void describe(const struct reload_fetched *walk, const struct reload_stored_data *data,
                     const struct reload_signer *signer, struct reload_fetched_value *out)
{
    *out = (struct reload_fetched_value){
        .kind = walk->kind,
        .generation = walk->generation,
        .model = data->value.model,
        .index = data->value.index,
        .key = data->value.key,
        .exists = data->value.data.exists,
        .value = data->value.data.value,
        .storage_time = data->storage_time_ms,
        .lifetime_s = data->lifetime_s,
    };
    if (!signer)
        return;
    out->signer = signer->node_id;
    out->user_name = signer->identity->user_name;
}

static bool was_asked(const struct reload_fetched *walk, uint32_t kind)
{
    struct reload_stored_data_specifier specifier;
    struct reload_reader r = reload_reader_over(walk->asked);
    while (reload_stored_data_specifier_next(&r, &specifier))
        if (specifier.kind == kind)
            return true;
    return !walk->asked.p;
}

/* To the next Kind's values; false at the end. Values of a Kind that is not in the configuration
 * cannot be read, and nobody wants those of a Kind that was not asked for: they count as rejected.
 */
static bool next_kind(struct reload_fetched *walk, const struct reload_kind_config **kind)
{
    struct reload_fetch_kind_response response;
    while (reload_fetch_kind_response_next(&walk->kinds, &response)) {
        walk->kind = response.kind;
        walk->generation = response.generation;
        walk->values = reload_reader_over(response.values);
        *kind = reload_config_kind(walk->config, response.kind);
        if (*kind && was_asked(walk, response.kind))
            return true;
        struct reload_slice raw;
        while (reload_stored_data_next_raw(&walk->values, &raw))
            walk->rejected++;
        walk->values = reload_reader_of(NULL, 0);
    }
    return false;
}

int reload_fetched_next(struct reload_fetched *walk, struct reload_fetched_value *out)
{
    const struct reload_kind_config *kind = NULL;
    if (reload_reader_more(&walk->values))
        kind = reload_config_kind(walk->config, walk->kind);
    for (;;) {
        struct reload_stored_data data;
        struct reload_signer signer;
        while (kind && reload_stored_data_next(&walk->values, kind->data_model, &data)) {
            if (is_synthetic(&data)) {
                describe(walk, &data, NULL, out);
                return 1;
            }
            /* s7.4.2.2: MUST be discarded; the others may be used. */
            if (judge(walk, kind, &data, &signer)) {
                walk->rejected++;
                continue;
            }
            describe(walk, &data, &signer, out);
            return 1;
        }
        if (reload_reader_status(&walk->values))
            return RELOAD_E_DECODE;
        if (!next_kind(walk, &kind))
            return 0;
    }
}

static int compare_places(const struct reload_fetched_value *a,
                          const struct reload_fetched_value *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->model == RELOAD_MODEL_ARRAY && a->index != b->index)
        return a->index < b->index ? -1 : 1;
    if (a->model != RELOAD_MODEL_DICTIONARY)
        return 0;
    size_t n = a->key.n < b->key.n ? a->key.n : b->key.n;
    int order = n ? memcmp(a->key.p, b->key.p, n) : 0;
    return order || a->key.n == b->key.n ? order : a->key.n < b->key.n ? -1 : 1;
}

static int compare_values(const void *left, const void *right)
{
    const struct reload_fetched_value *a = left, *b = right;
    int order = compare_places(a, b);
    if (order || a->storage_time == b->storage_time)
        return order;
    return a->storage_time > b->storage_time ? -1 : 1;
}

size_t reload_fetched_unique(struct reload_fetched_value *values, size_t count)
{
    size_t kept = 0;
    if (count)
        qsort(values, count, sizeof *values, compare_values);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_places(&values[kept - 1], &values[i]) != 0)
            values[kept++] = values[i];
    return kept;
}

/* --- what is sent (s7.4.1) --- */

static int write_item(const struct reload_crypto *crypto, const struct reload_kind_config *kind,
                      struct reload_slice resource, const struct reload_store_item *item,
                      struct reload_writer *body)
{
    if (item->value.n > kind->max_size)
        return RELOAD_E_LIMIT;
    if (!item->exists && item->value.n > 0) /* s7.4.1.3 */
        return RELOAD_E_INVALID;
    struct reload_stored_data data = {
        .storage_time_ms = item->storage_time,
        .lifetime_s = item->lifetime_s,
        .value = { .model = kind->data_model, .data = { item->exists, item->value } },
    };
    if (kind->data_model == RELOAD_MODEL_ARRAY)
        data.value.index = item->index;
    if (kind->data_model == RELOAD_MODEL_DICTIONARY)
        data.value.key = item->key;
    uint8_t signature[RELOAD_SIGNATURE_MAX];
    int error = reload_value_sign(crypto, resource, kind->id, &data, signature);
    return error ? error : reload_stored_data_encode(body, &data);
}

/* s7.4.1.1: a Kind-ID appears once, so its items stand together. */
static bool stand_together(const struct reload_store_item *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (items[i].kind == items[i - 1].kind) {
            if (items[i].generation != items[i - 1].generation)
                return false;
            continue;
        }
        for (size_t j = 0; j < i; j++)
            if (items[j].kind == items[i].kind)
                return false;
    }
    return true;
}

int reload_store_request_encode(const struct reload_crypto *crypto,
                                const struct reload_config *config, struct reload_slice resource,
                                const struct reload_store_item *items, size_t count,
                                struct reload_writer *body)
{
    if (!stand_together(items, count))
        return RELOAD_E_INVALID;
    size_t mark = reload_store_req_begin(body, resource, 0);
    for (size_t i = 0; i < count;) {
        const struct reload_kind_config *kind = reload_config_kind(config, items[i].kind);
        if (!kind)
            return RELOAD_E_NOT_FOUND;
        size_t kind_mark = reload_store_kind_begin(body, kind->id, items[i].generation);
        for (; i < count && items[i].kind == kind->id; i++) {
            int error = write_item(crypto, kind, resource, &items[i], body);
            if (error)
                return error;
        }
        reload_store_kind_end(body, kind_mark);
    }
    reload_store_req_end(body, mark);
    return reload_writer_status(body);
}
