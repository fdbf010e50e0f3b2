#include "peer/decode/print.h"
#include "reload/wire/fetch.h"
#include "reload/wire/find.h"
#include "reload/wire/stat.h"
#include "reload/wire/store.h"
#include "reload/wire/turn_server.h"

/* Store, Fetch, Stat and Find (RFC 6940 s7.4). The form of a value follows from its Kind and is not
 * on the wire: values of a Kind that is not known are shown as bytes. */

#define KIND_SIP_REGISTRATION    0x1u /* RFC 7904 */
#define KIND_TURN_SERVICE        0x2u
#define KIND_CERTIFICATE_BY_NODE 0x3u
#define KIND_CERTIFICATE_BY_USER 0x10u

static bool model_of(const struct reload_decode *d, uint32_t id, enum reload_data_model *model)
{
    const struct reload_kind_config *kind =
        d->options->config ? reload_config_kind(d->options->config, id) : NULL;
    if (kind) {
        *model = kind->data_model;
        return true;
    }
    switch (id) {
    case KIND_SIP_REGISTRATION: *model = RELOAD_MODEL_DICTIONARY; return true;
    case KIND_TURN_SERVICE: *model = RELOAD_MODEL_SINGLE; return true;
    case KIND_CERTIFICATE_BY_NODE:
    case KIND_CERTIFICATE_BY_USER: *model = RELOAD_MODEL_ARRAY; return true;
    default: return false;
    }
}

static json_t *kind_object(const struct reload_decode *d, uint32_t id, uint64_t generation)
{
    static const char *const models[] = { "single", "array", "dictionary" };
    enum reload_data_model model;
    json_t *json = json_pack("{s:I,s:o}", "kind", (json_int_t)id, "generation_counter",
                             reload_json_u64(generation));
    json_object_set_new(json, "data_model",
                        json_string(model_of(d, id, &model) ? models[model] : "unknown"));
    return json;
}

static json_t *content(const struct reload_decode *d, uint32_t kind, struct reload_slice value)
{
    struct reload_turn_server turn;
    json_t *json = reload_json_value(value);
    if ((kind == KIND_CERTIFICATE_BY_NODE || kind == KIND_CERTIFICATE_BY_USER) && value.n)
        json_object_set_new(json, "certificate", reload_decode_certificate(value));
    if (kind == KIND_SIP_REGISTRATION && value.n)
        json_object_set_new(json, "sip_registration",
                            reload_decode_sip_registration(value, d->options->node_id_len));
    if (kind == KIND_TURN_SERVICE && reload_turn_server_decode(value, &turn) == 0)
        json_object_set_new(json, "turn_server",
                            json_pack("{s:i,s:o}", "iteration", turn.iteration, "server_address",
                                      reload_decode_address(&turn.server_address)));
    return json;
}

static void place(json_t *json, enum reload_data_model model, uint32_t index,
                  struct reload_slice key)
{
    if (model == RELOAD_MODEL_ARRAY)
        json_object_set_new(json, "index", json_integer(index));
    if (model == RELOAD_MODEL_DICTIONARY)
        json_object_set_new(json, "key", reload_json_text(key));
}

static json_t *stored_data(const struct reload_decode *d, uint32_t kind,
                           const struct reload_stored_data *data)
{
    json_t *json = json_pack("{s:o,s:I}", "storage_time_ms", reload_json_u64(data->storage_time_ms),
                             "lifetime_s", (json_int_t)data->lifetime_s);
    place(json, data->value.model, data->value.index, data->value.key);
    json_object_set_new(json, "exists", json_boolean(data->value.data.exists));
    json_object_set_new(json, "value", content(d, kind, data->value.data.value));
    json_object_set_new(json, "signature", reload_decode_signature(&data->signature));
    return json;
}

static json_t *meta_data(const struct reload_stored_meta_data *meta)
{
    json_t *json = json_pack("{s:o,s:I}", "storage_time_ms", reload_json_u64(meta->storage_time_ms),
                             "lifetime_s", (json_int_t)meta->lifetime_s);
    place(json, meta->model, meta->index, meta->key);
    json_object_set_new(json, "exists", json_boolean(meta->data.exists));
    json_object_set_new(json, "value_length", json_integer(meta->data.value_length));
    json_object_set_new(json, "hash_algorithm", json_integer(meta->data.hash_algorithm));
    json_object_set_new(json, "hash_value", reload_json_hex(meta->data.hash_value));
    return json;
}

static json_t *raw_values(struct reload_reader *r)
{
    json_t *array = json_array();
    struct reload_slice raw;
    while (reload_stored_data_next_raw(r, &raw))
        json_array_append_new(array, reload_json_hex(raw));
    return array;
}

static json_t *values(struct reload_decode *d, uint32_t kind, struct reload_slice list, bool meta)
{
    enum reload_data_model model;
    struct reload_reader r = reload_reader_over(list);
    if (!model_of(d, kind, &model))
        return raw_values(&r);
    json_t *array = json_array();
    const uint8_t *at = r.p;
    while (reload_reader_more(&r)) {
        struct reload_stored_data data;
        struct reload_stored_meta_data data_about;
        at = r.p;
        if (meta && reload_stored_meta_data_next(&r, model, &data_about))
            json_array_append_new(array, meta_data(&data_about));
        else if (!meta && reload_stored_data_next(&r, model, &data))
            json_array_append_new(array, stored_data(d, kind, &data));
        else
            break;
    }
    if (reload_reader_status(&r))
        reload_decode_fault(d, at, "not a %s of Kind %u", meta ? "StoredMetaData" : "StoredData",
                            kind);
    return array;
}

json_t *reload_decode_store_req(struct reload_decode *d, struct reload_slice body)
{
    struct reload_store_req req;
    struct reload_store_kind_data data;
    if (reload_store_req_decode(body, &req))
        return NULL;
    json_t *kinds = json_array();
    struct reload_reader r = reload_reader_over(req.kind_data);
    while (reload_store_kind_data_next(&r, &data)) {
        json_t *json = kind_object(d, data.kind, data.generation_counter);
        json_object_set_new(json, "values", values(d, data.kind, data.values, false));
        json_array_append_new(kinds, json);
    }
    return json_pack("{s:o,s:i,s:o}", "resource", reload_json_hex(req.resource), "replica_number",
                     req.replica_number, "kind_data", kinds);
}

json_t *reload_decode_store_ans(struct reload_decode *d, struct reload_slice body)
{
    struct reload_store_ans ans;
    struct reload_store_kind_response response;
    struct reload_node_id id;
    if (reload_store_ans_decode(body, d->options->node_id_len, &ans))
        return NULL;
    json_t *kinds = json_array();
    struct reload_reader r = reload_reader_over(ans.kind_responses);
    while (reload_store_kind_response_next(&r, d->options->node_id_len, &response)) {
        json_t *replicas = json_array();
        struct reload_reader list = reload_reader_over(response.replicas);
        while (reload_node_id_next(&list, d->options->node_id_len, &id))
            json_array_append_new(replicas, reload_json_node_id(&id));
        json_t *json = kind_object(d, response.kind, response.generation_counter);
        json_object_set_new(json, "replicas", replicas);
        json_array_append_new(kinds, json);
    }
    return json_pack("{s:o}", "kind_responses", kinds);
}

static void specifier_places(struct reload_decode *d, json_t *json,
                             const struct reload_stored_data_specifier *specifier)
{
    enum reload_data_model model;
    struct reload_reader r;
    struct reload_array_range range;
    struct reload_slice key;
    if (!model_of(d, specifier->kind, &model)) {
        json_object_set_new(json, "model_specifier", reload_json_hex(specifier->model_specifier));
        return;
    }
    if (reload_stored_data_specifier_open(specifier, model, &r)) {
        reload_decode_fault(d, specifier->model_specifier.p, "bad StoredDataSpecifier of Kind %u",
                            specifier->kind);
        return;
    }
    json_t *list = json_array();
    if (model == RELOAD_MODEL_ARRAY)
        while (reload_array_range_next(&r, &range))
            json_array_append_new(
                list, json_pack("[I,I]", (json_int_t)range.first, (json_int_t)range.last));
    if (model == RELOAD_MODEL_DICTIONARY)
        while (reload_dictionary_key_next(&r, &key))
            json_array_append_new(list, reload_json_text(key));
    json_object_set_new(json, model == RELOAD_MODEL_DICTIONARY ? "keys" : "indices", list);
}

json_t *reload_decode_fetch_req(struct reload_decode *d, struct reload_slice body)
{
    struct reload_fetch_req req;
    struct reload_stored_data_specifier specifier;
    if (reload_fetch_req_decode(body, &req))
        return NULL;
    json_t *list = json_array();
    struct reload_reader r = reload_reader_over(req.specifiers);
    while (reload_stored_data_specifier_next(&r, &specifier)) {
        json_t *json = kind_object(d, specifier.kind, specifier.generation);
        specifier_places(d, json, &specifier);
        json_array_append_new(list, json);
    }
    return json_pack("{s:o,s:o}", "resource", reload_json_hex(req.resource), "specifiers", list);
}

static json_t *fetched(struct reload_decode *d, struct reload_slice body, bool meta)
{
    struct reload_fetch_ans ans;
    struct reload_fetch_kind_response response;
    if (reload_fetch_ans_decode(body, &ans))
        return NULL;
    json_t *kinds = json_array();
    struct reload_reader r = reload_reader_over(ans.kind_responses);
    while (reload_fetch_kind_response_next(&r, &response)) {
        json_t *json = kind_object(d, response.kind, response.generation);
        json_object_set_new(json, "values", values(d, response.kind, response.values, meta));
        json_array_append_new(kinds, json);
    }
    return json_pack("{s:o}", "kind_responses", kinds);
}

json_t *reload_decode_fetch_ans(struct reload_decode *d, struct reload_slice body)
{
    return fetched(d, body, false);
}

json_t *reload_decode_stat_ans(struct reload_decode *d, struct reload_slice body)
{
    return fetched(d, body, true);
}

json_t *reload_decode_find_req(struct reload_decode *d, struct reload_slice body)
{
    struct reload_find_req req;
    uint32_t kind;
    (void)d;
    if (reload_find_req_decode(body, &req))
        return NULL;
    json_t *kinds = json_array();
    struct reload_reader r = reload_reader_over(req.kinds);
    while (reload_kind_id_next(&r, &kind))
        json_array_append_new(kinds, json_integer(kind));
    return json_pack("{s:o,s:o}", "resource", reload_json_hex(req.resource), "kinds", kinds);
}

json_t *reload_decode_find_ans(struct reload_decode *d, struct reload_slice body)
{
    struct reload_find_ans ans;
    struct reload_find_kind_data data;
    (void)d;
    if (reload_find_ans_decode(body, &ans))
        return NULL;
    json_t *list = json_array();
    struct reload_reader r = reload_reader_over(ans.results);
    while (reload_find_kind_data_next(&r, &data))
        json_array_append_new(list, json_pack("{s:I,s:o}", "kind", (json_int_t)data.kind, "closest",
                                              reload_json_hex(data.closest)));
    return json_pack("{s:o}", "results", list);
}
