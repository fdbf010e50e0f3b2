#include "reload/alloc.h"
#include "reload/security/signature.h"
#include "reload/store/put.h"
#include "reload/store/refuse.h"

/* What must hold of a StoreReq before the store is touched (RFC 6940 s7.4.1.1), in the RFC's order;
 * authorization comes before any limit (s13.5.1). */

static uint16_t refuse(struct reload_put *put, uint16_t code, const char *why)
{
    put->why = why;
    return code;
}

static uint16_t forbid_signature(struct reload_put *put, const char *why)
{
    put->store->counters.refused_signature++;
    return refuse(put, RELOAD_ERROR_FORBIDDEN, why);
}

static uint16_t forbid_access(struct reload_put *put, const char *why)
{
    put->store->counters.refused_access++;
    return refuse(put, RELOAD_ERROR_FORBIDDEN, why);
}

static uint16_t no_memory(struct reload_put *put)
{
    put->store->counters.refused_full++;
    return refuse(put, RELOAD_ERROR_DATA_TOO_LARGE, "no memory");
}

/* --- Kinds --- */

static bool names_kind(const struct reload_put *put, uint32_t kind)
{
    for (size_t i = 0; i < put->kind_count; i++)
        if (put->kinds[i].data.kind == kind)
            return true;
    return false;
}

static uint16_t read_kinds(struct reload_put *put, struct reload_writer *info)
{
    uint32_t unknown[RELOAD_UNKNOWN_KINDS_MAX];
    size_t unknown_count = 0;
    struct reload_reader list = reload_reader_over(put->req.kind_data);
    struct reload_store_kind_data data;
    while (reload_store_kind_data_next(&list, &data)) {
        const struct reload_kind_config *config = reload_config_kind(put->store->config, data.kind);
        if (!config) {
            if (unknown_count < RELOAD_UNKNOWN_KINDS_MAX)
                unknown[unknown_count++] = data.kind;
            continue;
        }
        if (names_kind(put, data.kind)) /* s7.4.1.1; this also bounds the count */
            return refuse(put, RELOAD_ERROR_INVALID_MESSAGE, "a Kind appears twice");
        put->kinds[put->kind_count++] = (struct reload_put_kind){
            .config = config,
            .data = data,
        };
    }
    if (unknown_count == 0)
        return 0;
    put->store->counters.refused_kind++;
    if (reload_unknown_kinds_encode(info, unknown, unknown_count)) /* s7.4.1.2 */
        return refuse(put, RELOAD_ERROR_RESPONSE_TOO_LARGE, RELOAD_WHY_NO_ROOM);
    return RELOAD_ERROR_UNKNOWN_KIND;
}

uint16_t reload_put_read(struct reload_put *put, struct reload_slice body,
                         struct reload_writer *info)
{
    if (reload_store_req_decode(body, &put->req))
        return refuse(put, RELOAD_ERROR_INVALID_MESSAGE, "malformed StoreReq");
    put->kinds = reload_calloc(put->store->config->kind_count + 1, sizeof *put->kinds);
    if (!put->kinds)
        return no_memory(put);
    return read_kinds(put, info);
}

/* --- the request as a whole --- */

static bool allows(struct reload_put *put, const struct reload_put_kind *kind,
                   const struct reload_stored_data *data, const struct reload_signer *signer)
{
    const struct reload_access_question question = {
        .config = put->store->config,
        .kind = kind->config,
        .resource = put->req.resource,
        .key = data->value.key,
        .index = data->value.index,
        .exists = data->value.data.exists,
        .value = data->value.data.value,
        .signer = signer,
    };
    return signer &&
           reload_access_allows(&question, put->store->crypto, put->store->resource_id) == 0;
}

static uint16_t check_place(struct reload_put *put)
{
    if (!reload_put_is_replica(put))
        return put->context->responsible
                   ? 0
                   : refuse(put, RELOAD_ERROR_NOT_FOUND, "not responsible for this resource");
    if (!put->context->replica_plausible)
        return forbid_access(put, "not a plausible source of this replica");
    for (size_t i = 0; i < put->kind_count; i++) /* s7.4.1.1: MUST NOT use 0 */
        if (put->kinds[i].data.generation_counter == 0)
            return refuse(put, RELOAD_ERROR_INVALID_MESSAGE, "a replica without generation");
    return 0;
}

/* The form of each value, and for an original store the StoreReq's signer. He is asked about now,
 * since looking for the values' signers may forget him. */
static uint16_t check_kind(struct reload_put *put, struct reload_put_kind *kind)
{
    struct reload_reader list = reload_reader_over(kind->data.values);
    struct reload_stored_data data;
    while (reload_stored_data_next(&list, kind->config->data_model, &data)) {
        kind->has_values = true;
        if (!data.value.data.exists && data.value.data.value.n > 0) /* s7.4.1.3 */
            return refuse(put, RELOAD_ERROR_INVALID_MESSAGE, "a nonexistent value has bytes");
        if (!reload_put_is_replica(put) && !allows(put, kind, &data, put->context->signer))
            return forbid_access(put, "the request's signer may not write here");
    }
    if (reload_reader_status(&list))
        return refuse(put, RELOAD_ERROR_INVALID_MESSAGE, "malformed StoredData");
    return 0;
}

uint16_t reload_put_check_request(struct reload_put *put)
{
    uint16_t code = check_place(put);
    for (size_t i = 0; i < put->kind_count && !code; i++)
        code = check_kind(put, &put->kinds[i]);
    return code;
}

/* --- values --- */

static uint16_t remember_value(struct reload_put *put, struct reload_put_kind *kind,
                               const struct reload_stored_data *data,
                               const struct reload_signer *signer)
{
    if (put->value_count == put->value_cap) {
        size_t cap = put->value_cap ? 2 * put->value_cap : 8;
        struct reload_put_value *values = reload_realloc(put->values, cap * sizeof *values);
        if (!values)
            return no_memory(put);
        put->values = values;
        put->value_cap = cap;
    }
    struct reload_held_value *value =
        reload_held_value_new(put->store, data, signer->identity, put->context->now);
    if (!value)
        return no_memory(put);
    put->values[put->value_count++] = (struct reload_put_value){ .kind = kind, .value = value };
    return 0;
}

static uint16_t check_value(struct reload_put *put, struct reload_put_kind *kind,
                            const struct reload_stored_data *data)
{
    struct reload_signer signer;
    int error = reload_value_verify(put->store->crypto, put->req.resource, kind->config->id, data,
                                    put->context->certificates, put->context->now, &signer);
    if (error == RELOAD_E_NOMEM)
        return no_memory(put);
    if (error)
        return forbid_signature(put, "a value's signature does not hold");
    if (!allows(put, kind, data, &signer))
        return forbid_access(put, "a value's signer may not write here");
    return remember_value(put, kind, data, &signer);
}

uint16_t reload_put_check_values(struct reload_put *put)
{
    for (size_t i = 0; i < put->kind_count; i++) {
        struct reload_put_kind *kind = &put->kinds[i];
        struct reload_reader list = reload_reader_over(kind->data.values);
        struct reload_stored_data data;
        while (reload_stored_data_next(&list, kind->config->data_model, &data)) {
            uint16_t code = check_value(put, kind, &data);
            if (code)
                return code;
        }
    }
    return 0;
}

/* --- generation counters --- */

uint64_t reload_put_generation(const struct reload_put *put, const struct reload_put_kind *kind)
{
    const struct reload_held_kind *held =
        reload_held_kind_find(put->store, put->req.resource, kind->config->id);
    return held ? held->generation : 0;
}

/* s7.4.1.2: error_info is a StoreAns with the right counters and no replicas. */
static uint16_t generation_too_low(struct reload_put *put, struct reload_writer *info)
{
    put->store->counters.refused_generation++;
    size_t mark = reload_store_ans_begin(info);
    for (size_t i = 0; i < put->kind_count; i++) {
        const struct reload_store_kind_response response = {
            .kind = put->kinds[i].config->id,
            .generation_counter = reload_put_generation(put, &put->kinds[i]),
        };
        if (reload_store_kind_response_encode(info, &response))
            return refuse(put, RELOAD_ERROR_RESPONSE_TOO_LARGE, RELOAD_WHY_NO_ROOM);
    }
    reload_store_ans_end(info, mark);
    if (reload_writer_status(info))
        return refuse(put, RELOAD_ERROR_RESPONSE_TOO_LARGE, RELOAD_WHY_NO_ROOM);
    return RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW;
}

uint16_t reload_put_check_generations(struct reload_put *put, struct reload_writer *info)
{
    if (reload_put_is_replica(put)) /* s7.4.1.1: MUST NOT check */
        return 0;
    for (size_t i = 0; i < put->kind_count; i++) {
        uint64_t expected = put->kinds[i].data.generation_counter;
        if (expected != 0 && expected != reload_put_generation(put, &put->kinds[i]))
            return generation_too_low(put, info);
    }
    return 0;
}
