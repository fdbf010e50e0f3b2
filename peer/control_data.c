#include "peer/control_internal.h"

#include <stdlib.h>

#include "peer/decode/decode.h"
#include "peer/json.h"
#include "peer/place.h"
#include "reload/wire/fetch.h"
#include "reload/wire/find.h"
#include "reload/wire/message.h"
#include "reload/wire/store.h"

/* store, remove, fetch, stat, find. */

#define LIFETIME_S 86400
/* RFC 6940 s7.4.1.3: a removal outlives what it removes, of which nothing lives longer here. */
#define REMOVAL_LIFETIME_S (30 * 86400)
#define BODY_MAX           (RELOAD_RESOURCE_ID_MAX + RELOAD_PLACE_KEY_MAX + 64)

/* Reads the place; on a mistake the call is ended. */
static bool read_place(struct reload_control_call *call, bool kind_needed,
                       struct reload_place *place)
{
    struct reload_place_problem problem;
    if (reload_place_read(call->request, reload_control_overlay(call->control), kind_needed, place,
                          &problem) == 0)
        return true;
    reload_control_fail(call, RELOAD_CONTROL_USAGE, "%s", problem.text);
    return false;
}

/* --- store, remove --- */

static json_t *replicas(const struct reload_config *config, struct reload_slice list)
{
    json_t *array = json_array();
    struct reload_reader r = reload_reader_over(list);
    struct reload_node_id id;
    while (reload_node_id_next(&r, config->node_id_length, &id))
        json_array_append_new(array, reload_json_node_id(&id));
    return array;
}

static void stored(void *context, const struct reload_result *result)
{
    struct reload_control_call *call = context;
    if (reload_control_failed(call, result))
        return;
    const struct reload_config *config = reload_control_overlay_config(call->control);
    struct reload_store_ans answer;
    struct reload_store_kind_response response;
    json_t *json = json_pack("{s:o,s:i,s:i,s:O}", "node_id", reload_json_node_id(&result->signer),
                             "round_trip_ms", result->round_trip_ms, "hops", result->hops,
                             "resource", call->state);
    if (reload_store_ans_decode(result->body, config->node_id_length, &answer) == 0) {
        struct reload_reader r = reload_reader_over(answer.kind_responses);
        if (reload_store_kind_response_next(&r, config->node_id_length, &response)) {
            json_object_set_new(json, "generation", reload_json_u64(response.generation_counter));
            json_object_set_new(json, "replicas", replicas(config, response.replicas));
        }
    }
    reload_control_answer(call, json);
}

static struct reload_store_item item_of(const struct reload_overlay *overlay,
                                        const struct reload_place *place)
{
    const struct reload_own_identity *own = reload_overlay_own(overlay);
    struct reload_store_item item = { .kind = place->kind->id, .generation = place->generation };
    if (place->kind->data_model == RELOAD_MODEL_ARRAY)
        item.index = place->has_index ? place->index : RELOAD_ARRAY_LAST;
    if (place->kind->data_model == RELOAD_MODEL_DICTIONARY) /* USER-NODE-MATCH wants the Node-ID */
        item.key = place->has_key ? reload_slice_of(place->key, place->key_len)
                                  : reload_node_id_slice(&own->node_id);
    return item;
}

static void send_store(struct reload_control_call *call, const struct reload_place *place,
                       bool exists, struct reload_slice value)
{
    struct reload_overlay *overlay = reload_control_overlay(call->control);
    const json_t *lifetime = json_object_get(call->request, "lifetime");
    struct reload_store_item item = item_of(overlay, place);
    item.exists = exists;
    item.value = value;
    item.lifetime_s = json_is_integer(lifetime) ? (uint32_t)json_integer_value(lifetime)
                      : exists                  ? LIFETIME_S
                                                : REMOVAL_LIFETIME_S;
    if (value.n > place->kind->max_size) {
        reload_control_fail(call, RELOAD_CONTROL_FAILURE,
                            "the value has %zu bytes; the Kind allows %u", value.n,
                            place->kind->max_size);
        return;
    }
    call->state = reload_json_hex(reload_place_resource(place));
    int error = reload_overlay_store(overlay, reload_place_resource(place), &item, 1, stored, call);
    if (error)
        reload_control_fail_error(call, error);
}

void reload_control_store(struct reload_control_call *call)
{
    struct reload_place place;
    uint8_t *value;
    size_t len;
    if (!read_place(call, true, &place))
        return;
    if (reload_place_bytes(call->request, "value", &value, &len)) {
        reload_control_fail(call, RELOAD_CONTROL_USAGE,
                            "value is missing: text in value, or hexadecimal in value_hex");
        return;
    }
    send_store(call, &place, true, reload_slice_of(value, len));
    free(value);
}

void reload_control_remove(struct reload_control_call *call)
{
    struct reload_place place;
    if (!read_place(call, true, &place))
        return;
    if (place.kind->data_model == RELOAD_MODEL_ARRAY && !place.has_index)
        reload_control_fail(call, RELOAD_CONTROL_USAGE, "index is missing: which entry to remove");
    else
        send_store(call, &place, false, (struct reload_slice){ 0 });
}

/* --- fetch, stat --- */

static int fetch_body(const struct reload_place *place, struct reload_writer *w)
{
    enum reload_data_model model = place->kind->data_model;
    size_t mark = reload_fetch_req_begin(w, reload_place_resource(place));
    struct reload_specifier_mark specifier =
        reload_specifier_begin(w, place->kind->id, place->generation, model);
    if (model == RELOAD_MODEL_ARRAY)
        reload_wr_array_range(w, place->has_index
                                     ? (struct reload_array_range){ place->index, place->index }
                                     : (struct reload_array_range){ 0, RELOAD_ARRAY_LAST });
    if (model == RELOAD_MODEL_DICTIONARY && place->has_key)
        reload_wr_dictionary_key(w, reload_slice_of(place->key, place->key_len));
    reload_specifier_end(w, specifier, model);
    reload_fetch_req_end(w, mark);
    return reload_writer_status(w);
}

static json_t *value_object(const struct reload_fetched_value *v)
{
    json_t *json = json_pack("{s:I,s:o,s:b}", "kind", (json_int_t)v->kind, "generation",
                             reload_json_u64(v->generation), "exists", v->exists);
    if (v->model == RELOAD_MODEL_ARRAY)
        json_object_set_new(json, "index", json_integer(v->index));
    if (v->model == RELOAD_MODEL_DICTIONARY)
        json_object_set_new(json, "key", reload_json_value(v->key));
    json_object_set_new(json, "value", reload_json_value(v->value));
    json_object_set_new(json, "storage_time_ms", reload_json_u64(v->storage_time));
    json_object_set_new(json, "lifetime_s", json_integer(v->lifetime_s));
    json_object_set_new(json, "signer", reload_json_node_id(&v->signer));
    json_object_set_new(json, "user", reload_json_text(v->user_name));
    return json;
}

static void fetched(void *context, const struct reload_result *result)
{
    struct reload_control_call *call = context;
    if (reload_control_failed(call, result))
        return;
    json_t *values = json_array();
    for (size_t i = 0; i < result->value_count; i++)
        json_array_append_new(values, value_object(&result->values[i]));
    reload_control_answer(call, json_pack("{s:o,s:I,s:o,s:i,s:i}", "values", values, "rejected",
                                          (json_int_t)result->rejected, "node_id",
                                          reload_json_node_id(&result->signer), "round_trip_ms",
                                          result->round_trip_ms, "hops", result->hops));
}

void reload_control_fetch(struct reload_control_call *call)
{
    struct reload_place place;
    uint8_t buffer[BODY_MAX];
    struct reload_writer body = reload_writer_of(buffer, sizeof buffer);
    if (!read_place(call, true, &place))
        return;
    int error = fetch_body(&place, &body);
    if (!error)
        error = reload_overlay_fetch(reload_control_overlay(call->control),
                                     reload_place_resource(&place), reload_writer_slice(&body),
                                     fetched, call);
    if (error)
        reload_control_fail_error(call, error);
}

static void answered(void *context, const struct reload_result *result)
{
    struct reload_control_call *call = context;
    if (reload_control_failed(call, result))
        return;
    const struct reload_config *config = reload_control_overlay_config(call->control);
    struct reload_decode_options options = { config->node_id_length, config };
    json_t *json = reload_decode_body(reload_message_answer(result->code), result->body, &options);
    if (!json) {
        reload_control_fail_error(call, RELOAD_E_DECODE);
        return;
    }
    json_object_set_new(json, "node_id", reload_json_node_id(&result->signer));
    reload_control_answer(call, json);
}

static void ask_resource(struct reload_control_call *call, const struct reload_place *place,
                         uint16_t code, struct reload_slice body)
{
    struct reload_target target = { .resource = true, .id = reload_place_resource(place) };
    int error = reload_overlay_request(reload_control_overlay(call->control), &target, code, body,
                                       answered, call);
    if (error)
        reload_control_fail_error(call, error);
}

void reload_control_stat(struct reload_control_call *call)
{
    struct reload_place place;
    uint8_t buffer[BODY_MAX];
    struct reload_writer body = reload_writer_of(buffer, sizeof buffer);
    if (!read_place(call, true, &place))
        return;
    int error = fetch_body(&place, &body);
    if (error)
        reload_control_fail_error(call, error);
    else
        ask_resource(call, &place, RELOAD_STAT_REQ, reload_writer_slice(&body));
}

/* --- find --- */

void reload_control_find(struct reload_control_call *call)
{
    struct reload_place place;
    uint8_t kind_bytes[4], buffer[BODY_MAX];
    struct reload_writer kinds = reload_writer_of(kind_bytes, sizeof kind_bytes);
    struct reload_writer body = reload_writer_of(buffer, sizeof buffer);
    if (!read_place(call, true, &place))
        return;
    reload_wr_u32(&kinds, place.kind->id);
    struct reload_find_req find = { reload_place_resource(&place), reload_writer_slice(&kinds) };
    int error = reload_find_req_encode(&body, &find);
    if (error)
        reload_control_fail_error(call, error);
    else
        ask_resource(call, &place, RELOAD_FIND_REQ, reload_writer_slice(&body));
}
