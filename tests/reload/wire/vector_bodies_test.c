#include "vectors.h"

#include <stdio.h>

#include "reload/wire/attach.h"
#include "reload/wire/chord.h"
#include "reload/wire/config_update.h"
#include "reload/wire/error.h"
#include "reload/wire/find.h"
#include "reload/wire/join.h"
#include "reload/wire/message.h"
#include "reload/wire/ping.h"
#include "reload/wire/probe.h"
#include "reload/wire/route_query.h"
#include "reload/wire/stat.h"
#include "reload/wire/store.h"

/* Every message body of the vectors decodes to the fields it names and encodes back to its bytes,
 * alone and within a whole message. There is no exception. */

static json_t *at(const json_t *list, size_t i)
{
    return json_array_get(list, i);
}

/* Takes a list of Node-IDs in hexadecimal. */
static void expect_node_ids(json_t *fields, const char *key, struct reload_slice wire)
{
    json_t *list = vectors_take(fields, key);
    struct reload_reader r = reload_reader_over(wire);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_node_id id;
        assert_true(reload_node_id_next(&r, RECODE_NODE_ID_LEN, &id));
        char text[RELOAD_NODE_ID_TEXT];
        assert_string_equal(reload_node_id_text(&id, text), json_string_value(at(list, i)));
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(list);
}

static void check_ping_req(json_t *fields, struct reload_slice body)
{
    struct reload_ping_req req;
    assert_int_equal(reload_ping_req_decode(body, &req), 0);
    expect_hex(fields, "padding", req.padding);
}

static void check_ping_ans(json_t *fields, struct reload_slice body)
{
    struct reload_ping_ans ans;
    assert_int_equal(reload_ping_ans_decode(body, &ans), 0);
    expect_hex_number(fields, "response_id", ans.response_id);
    expect_number(fields, "time", ans.time_ms);
}

static void expect_candidates(json_t *fields, struct reload_slice wire)
{
    json_t *list = vectors_take(fields, "candidates");
    struct reload_reader r = reload_reader_over(wire);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_ice_candidate candidate;
        assert_true(reload_ice_candidate_next(&r, &candidate));
        expect_candidate(at(list, i), &candidate);
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(list);
}

static void check_attach(json_t *fields, struct reload_slice body)
{
    struct reload_attach attach;
    assert_int_equal(reload_attach_decode(body, &attach), 0);
    expect_text(fields, "ufrag", attach.ufrag);
    expect_text(fields, "password", attach.password);
    expect_text(fields, "role", attach.role);
    expect_candidates(fields, attach.candidates);
    expect_boolean(fields, "send_update", attach.send_update);
}

static void check_app_attach(json_t *fields, struct reload_slice body)
{
    struct reload_app_attach attach;
    assert_int_equal(reload_app_attach_decode(body, &attach), 0);
    expect_text(fields, "ufrag", attach.ufrag);
    expect_text(fields, "password", attach.password);
    expect_number(fields, "application", attach.application);
    expect_text(fields, "role", attach.role);
    expect_candidates(fields, attach.candidates);
}

static void check_join_req(json_t *fields, struct reload_slice body)
{
    struct reload_join_req req;
    assert_int_equal(reload_join_req_decode(body, RECODE_NODE_ID_LEN, &req), 0);
    expect_hex(fields, "joining_peer_id", reload_node_id_slice(&req.joining_peer_id));
    expect_hex(fields, "overlay_specific_data", req.overlay_specific_data);
}

static void check_join_ans(json_t *fields, struct reload_slice body)
{
    struct reload_join_ans ans;
    assert_int_equal(reload_join_ans_decode(body, &ans), 0);
    expect_hex(fields, "overlay_specific_data", ans.overlay_specific_data);
}

static void expect_chord_leave(json_t *fields, struct reload_slice data)
{
    struct reload_chord_leave leave;
    assert_int_equal(reload_chord_leave_decode(data, RECODE_NODE_ID_LEN, &leave), 0);
    expect_coded(fields, "type", leave.type);
    bool from_succ = leave.type == RELOAD_CHORD_LEAVE_FROM_SUCC;
    expect_node_ids(fields, from_succ ? "successors" : "predecessors", leave.neighbors);
    vectors_all_taken(fields);
    check_good("ChordLeaveData", data);
}

static void check_leave_req(json_t *fields, struct reload_slice body)
{
    struct reload_leave_req req;
    assert_int_equal(reload_leave_req_decode(body, RECODE_NODE_ID_LEN, &req), 0);
    expect_hex(fields, "leaving_peer_id", reload_node_id_slice(&req.leaving_peer_id));
    json_t *chord = vectors_take_if(fields, "chord_leave");
    if (chord != NULL)
        expect_chord_leave(chord, req.overlay_specific_data);
    else
        expect_hex(fields, "overlay_specific_data", req.overlay_specific_data);
    json_decref(chord);
}

static void check_update_req(json_t *fields, struct reload_slice body)
{
    struct reload_chord_update update;
    assert_int_equal(reload_chord_update_decode(body, RECODE_NODE_ID_LEN, &update), 0);
    expect_number(fields, "uptime", update.uptime_s);
    expect_coded(fields, "type", update.type);
    if (update.type != RELOAD_CHORD_UPDATE_PEER_READY) {
        expect_node_ids(fields, "predecessors", update.predecessors);
        expect_node_ids(fields, "successors", update.successors);
    }
    if (update.type == RELOAD_CHORD_UPDATE_FULL)
        expect_node_ids(fields, "fingers", update.fingers);
}

static void check_route_query_req(json_t *fields, struct reload_slice body)
{
    struct reload_route_query_req req;
    assert_int_equal(reload_route_query_req_decode(body, RECODE_NODE_ID_LEN, &req), 0);
    expect_boolean(fields, "send_update", req.send_update);
    json_t *destination = vectors_take(fields, "destination");
    expect_destination(destination, &req.destination);
    json_decref(destination);
    expect_hex(fields, "overlay_specific_data", req.overlay_specific_data);
}

static void check_route_query_ans(json_t *fields, struct reload_slice body)
{
    struct reload_chord_route_query_ans ans;
    assert_int_equal(reload_chord_route_query_ans_decode(body, RECODE_NODE_ID_LEN, &ans), 0);
    expect_hex(fields, "next_peer", reload_node_id_slice(&ans.next_peer));
}

static void check_probe_req(json_t *fields, struct reload_slice body)
{
    struct reload_probe_req req;
    assert_int_equal(reload_probe_req_decode(body, &req), 0);
    json_t *list = vectors_take(fields, "requested_info");
    assert_int_equal(json_array_size(list), req.requested_info.n);
    for (size_t i = 0; i < req.requested_info.n; i++)
        assert_int_equal(json_integer_value(at(list, i)), req.requested_info.p[i]);
    json_decref(list);
}

static void expect_probe_information(const json_t *pair,
                                     const struct reload_probe_information *info)
{
    static const char *const names[] = { "invalid", "responsible_set", "num_resources", "uptime" };
    const char *name = json_string_value(at(pair, 0));
    if (info->type < COUNT(names)) {
        assert_string_equal(name, names[info->type]);
        assert_int_equal(json_integer_value(at(pair, 1)), info->number);
        return;
    }
    char text[32];
    (void)snprintf(text, sizeof text, "type %u (unknown)", info->type);
    assert_string_equal(name, text);
    assert_slice_equal(info->value, vectors_bytes(json_string_value(at(pair, 1))));
}

static void check_probe_ans(json_t *fields, struct reload_slice body)
{
    struct reload_probe_ans ans;
    assert_int_equal(reload_probe_ans_decode(body, &ans), 0);
    json_t *list = vectors_take(fields, "probe_info");
    struct reload_reader r = reload_reader_over(ans.probe_info);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_probe_information info;
        assert_true(reload_probe_information_next(&r, &info));
        expect_probe_information(at(list, i), &info);
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(list);
}

static void expect_kind_descriptions(json_t *fields, struct reload_slice wire)
{
    json_t *list = vectors_take(fields, "kinds");
    struct reload_reader r = reload_reader_over(wire);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_slice block;
        assert_true(reload_kind_description_next(&r, &block));
        const char *text = json_string_value(at(list, i));
        assert_slice_equal(block, reload_slice_of(text, strlen(text)));
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(list);
}

static void check_config_update_req(json_t *fields, struct reload_slice body)
{
    struct reload_config_update_req req;
    assert_int_equal(reload_config_update_req_decode(body, &req), 0);
    expect_coded(fields, "type", req.type);
    if (req.type == RELOAD_CONFIG_UPDATE_CONFIG) {
        expect_number(fields, "length", req.content.n + 3); /* with the content's own prefix */
        expect_text(fields, "config_data", req.content);
    } else {
        expect_kind_descriptions(fields, req.content);
    }
}

/* "KindId kinds<0..2^8-1> = [100,101]" */
static void expect_unknown_kinds(json_t *fields, struct reload_slice error_info)
{
    struct reload_slice kinds;
    assert_int_equal(reload_unknown_kinds_decode(error_info, &kinds), 0);
    char text[128] = "KindId kinds<0..2^8-1> = [";
    struct reload_reader r = reload_reader_over(kinds);
    uint32_t kind;
    for (size_t n = strlen(text); reload_kind_id_next(&r, &kind); n = strlen(text))
        (void)snprintf(text + n, sizeof text - n, "%u%s", kind, reload_reader_more(&r) ? "," : "]");
    expect_word(fields, "error_info", text);
    check_good("unknown_kinds", error_info);
}

static void check_error(json_t *fields, struct reload_slice body)
{
    struct reload_error_response response;
    assert_int_equal(reload_error_response_decode(body, &response), 0);
    expect_number(fields, "error_code", response.error_code);
    if (response.error_code == RELOAD_ERROR_UNKNOWN_KIND)
        expect_unknown_kinds(fields, response.error_info);
    else
        expect_hex(fields, "error_info", response.error_info);
}

static void check_find_req(json_t *fields, struct reload_slice body)
{
    struct reload_find_req req;
    assert_int_equal(reload_find_req_decode(body, &req), 0);
    expect_hex(fields, "resource", req.resource);
    json_t *list = vectors_take(fields, "kinds");
    struct reload_reader r = reload_reader_over(req.kinds);
    for (size_t i = 0; i < json_array_size(list); i++) {
        uint32_t kind;
        assert_true(reload_kind_id_next(&r, &kind));
        assert_int_equal(kind, json_integer_value(at(list, i)));
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(list);
}

static void check_find_ans(json_t *fields, struct reload_slice body)
{
    struct reload_find_ans ans;
    assert_int_equal(reload_find_ans_decode(body, &ans), 0);
    json_t *list = vectors_take(fields, "results");
    struct reload_reader r = reload_reader_over(ans.results);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_find_kind_data data;
        assert_true(reload_find_kind_data_next(&r, &data));
        expect_number(at(list, i), "kind", data.kind);
        expect_hex(at(list, i), "closest", data.closest);
        vectors_all_taken(at(list, i));
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(list);
}

/* --- values by Kind: the vectors use three Kinds, one of each model --- */

static enum reload_data_model model_of(uint32_t kind)
{
    static const enum reload_data_model models[] = { [1] = RELOAD_MODEL_DICTIONARY, /* SIP */
                                                     [2] = RELOAD_MODEL_SINGLE,  /* TURN-SERVICE */
                                                     [3] = RELOAD_MODEL_ARRAY }; /* certificates */
    assert_true(kind >= 1 && kind <= 3);
    return models[kind];
}

static void expect_values(json_t *list, enum reload_data_model model, struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_stored_data data;
        assert_true(reload_stored_data_next(&r, model, &data));
        json_t *fields = at(list, i);
        if (json_object_get(fields, "storage_time") !=
            NULL) { /* a Store names them, a Fetch does not */
            expect_number(fields, "storage_time", data.storage_time_ms);
            expect_number(fields, "lifetime", data.lifetime_s);
        }
        expect_stored_value(fields, &data.value);
    }
    assert_int_equal(reload_reader_finish(&r), 0);
}

static void check_store_req(json_t *fields, struct reload_slice body)
{
    struct reload_store_req req;
    assert_int_equal(reload_store_req_decode(body, &req), 0);
    expect_hex(fields, "resource", req.resource);
    expect_number(fields, "replica_number", req.replica_number);
    json_t *list = vectors_take(fields, "kind_data");
    struct reload_reader r = reload_reader_over(req.kind_data);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_store_kind_data data;
        assert_true(reload_store_kind_data_next(&r, &data));
        expect_number(at(list, i), "kind", data.kind);
        expect_number(at(list, i), "generation_counter", data.generation_counter);
        json_t *values = vectors_take_if(at(list, i), "values");
        if (values != NULL)
            expect_values(values, model_of(data.kind), data.values);
        json_decref(values);
        vectors_all_taken(at(list, i));
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(list);
}

static void check_store_ans(json_t *fields, struct reload_slice body)
{
    struct reload_store_ans ans;
    assert_int_equal(reload_store_ans_decode(body, RECODE_NODE_ID_LEN, &ans), 0);
    json_t *list = vectors_take(fields, "kind_responses");
    struct reload_reader r = reload_reader_over(ans.kind_responses);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_store_kind_response response;
        assert_true(reload_store_kind_response_next(&r, RECODE_NODE_ID_LEN, &response));
        expect_number(at(list, i), "kind", response.kind);
        expect_number(at(list, i), "generation_counter", response.generation_counter);
        expect_node_ids(at(list, i), "replicas", response.replicas);
        vectors_all_taken(at(list, i));
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(list);
}

static void expect_ranges(json_t *fields, struct reload_reader ranges)
{
    json_t *list = vectors_take(fields, "ranges");
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_array_range range;
        assert_true(reload_array_range_next(&ranges, &range));
        assert_int_equal(range.first, json_integer_value(at(at(list, i), 0)));
        assert_int_equal(range.last, json_integer_value(at(at(list, i), 1)));
    }
    assert_int_equal(reload_reader_finish(&ranges), 0);
    json_decref(list);
}

static void expect_keys(json_t *fields, struct reload_reader keys)
{
    json_t *list = vectors_take(fields, "keys");
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_slice key;
        assert_true(reload_dictionary_key_next(&keys, &key));
        assert_slice_equal(key, vectors_bytes(json_string_value(at(list, i))));
    }
    assert_int_equal(reload_reader_finish(&keys), 0);
    json_decref(list);
}

static void expect_specifier(json_t *fields, const struct reload_stored_data_specifier *specifier)
{
    static const char *const names[] = { "single", "array", "dictionary" };
    enum reload_data_model model = model_of(specifier->kind);
    struct reload_reader elements;
    assert_int_equal(reload_stored_data_specifier_open(specifier, model, &elements), 0);
    expect_number(fields, "kind", specifier->kind);
    expect_number(fields, "generation", specifier->generation);
    expect_word(fields, "model", names[model]);
    if (model == RELOAD_MODEL_ARRAY)
        expect_ranges(fields, elements);
    if (model == RELOAD_MODEL_DICTIONARY)
        expect_keys(fields, elements);
    vectors_all_taken(fields);
}

static void check_fetch_req(json_t *fields, struct reload_slice body)
{
    struct reload_fetch_req req;
    assert_int_equal(reload_fetch_req_decode(body, &req), 0);
    expect_hex(fields, "resource", req.resource);
    json_t *list = vectors_take(fields, "specifiers");
    struct reload_reader r = reload_reader_over(req.specifiers);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_stored_data_specifier specifier;
        assert_true(reload_stored_data_specifier_next(&r, &specifier));
        expect_specifier(at(list, i), &specifier);
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(list);
}

static void expect_meta_data(json_t *list, enum reload_data_model model, struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_stored_meta_data data;
        assert_true(reload_stored_meta_data_next(&r, model, &data));
        json_t *fields = at(list, i);
        if (model == RELOAD_MODEL_ARRAY)
            expect_number(fields, "index", data.index);
        if (model == RELOAD_MODEL_DICTIONARY)
            expect_hex(fields, "key", data.key);
        if (json_object_get(fields, "storage_time") !=
            NULL) { /* only the first entry names these */
            expect_number(fields, "storage_time", data.storage_time_ms);
            expect_number(fields, "lifetime", data.lifetime_s);
            expect_word(fields, "hash_algorithm", "sha256");
        }
        assert_int_equal(data.data.hash_algorithm, RELOAD_HASH_SHA256);
        expect_boolean(fields, "exists", data.data.exists);
        expect_number(fields, "value_length", data.data.value_length);
        expect_hex(fields, "hash_value", data.data.hash_value);
        vectors_all_taken(fields);
    }
    assert_int_equal(reload_reader_finish(&r), 0);
}

static void check_kind_responses(json_t *fields, struct reload_slice body,
                                 void (*expect)(json_t *, enum reload_data_model,
                                                struct reload_slice))
{
    struct reload_fetch_ans ans;
    assert_int_equal(reload_fetch_ans_decode(body, &ans), 0);
    json_t *list = vectors_take(fields, "kind_responses");
    struct reload_reader r = reload_reader_over(ans.kind_responses);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_fetch_kind_response response;
        assert_true(reload_fetch_kind_response_next(&r, &response));
        expect_number(at(list, i), "kind", response.kind);
        expect_number(at(list, i), "generation", response.generation);
        json_t *values = vectors_take(at(list, i), "values");
        expect(values, model_of(response.kind), response.values);
        json_decref(values);
        vectors_all_taken(at(list, i));
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(list);
}

static void check_fetch_ans(json_t *fields, struct reload_slice body)
{
    check_kind_responses(fields, body, expect_values);
}

static void check_stat_ans(json_t *fields, struct reload_slice body)
{
    check_kind_responses(fields, body, expect_meta_data);
}

static void check_empty(json_t *fields, struct reload_slice body)
{
    (void)fields;
    assert_int_equal(reload_empty_body_decode(body), 0);
}

/* --- all --- */

static const struct {
    uint16_t code;
    void (*check)(json_t *fields, struct reload_slice body);
} bodies[] = {
    { RELOAD_PROBE_REQ, check_probe_req },
    { RELOAD_PROBE_ANS, check_probe_ans },
    { RELOAD_ATTACH_REQ, check_attach },
    { RELOAD_ATTACH_ANS, check_attach },
    { RELOAD_STORE_REQ, check_store_req },
    { RELOAD_STORE_ANS, check_store_ans },
    { RELOAD_FETCH_REQ, check_fetch_req },
    { RELOAD_FETCH_ANS, check_fetch_ans },
    { RELOAD_FIND_REQ, check_find_req },
    { RELOAD_FIND_ANS, check_find_ans },
    { RELOAD_JOIN_REQ, check_join_req },
    { RELOAD_JOIN_ANS, check_join_ans },
    { RELOAD_LEAVE_REQ, check_leave_req },
    { RELOAD_LEAVE_ANS, check_empty },
    { RELOAD_UPDATE_REQ, check_update_req },
    { RELOAD_UPDATE_ANS, check_empty },
    { RELOAD_ROUTE_QUERY_REQ, check_route_query_req },
    { RELOAD_ROUTE_QUERY_ANS, check_route_query_ans },
    { RELOAD_PING_REQ, check_ping_req },
    { RELOAD_PING_ANS, check_ping_ans },
    { RELOAD_STAT_REQ, check_fetch_req },
    { RELOAD_STAT_ANS, check_stat_ans },
    { RELOAD_APP_ATTACH_REQ, check_app_attach },
    { RELOAD_APP_ATTACH_ANS, check_app_attach },
    { RELOAD_CONFIG_UPDATE_REQ, check_config_update_req },
    { RELOAD_CONFIG_UPDATE_ANS, check_empty },
    { RELOAD_ERROR, check_error },
};

static struct reload_slice bytes_of(const json_t *entry, const char *key)
{
    const char *hex = json_string_value(json_object_get(entry, key));
    assert_non_null(hex);
    return vectors_bytes(hex);
}

static void check_in_message(const json_t *entry, uint16_t code, struct reload_slice body)
{
    struct reload_slice wire = bytes_of(entry, "message_hex");
    struct reload_message m;
    assert_int_equal(reload_message_decode(wire, RECODE_NODE_ID_LEN, &m), 0);
    assert_int_equal(m.message_code, code);
    assert_slice_equal(m.body, body);
    assert_slice_equal(m.contents, bytes_of(entry, "contents_hex"));
    assert_int_equal(m.extensions.n, 0);
    check_good("Message", wire);
}

/* Returns the place in `bodies` of the entry's message code. */
static size_t check_body(const json_t *entry)
{
    json_t *fields = json_object_get(entry, "fields");
    struct reload_slice body = bytes_of(entry, "hex");
    uint16_t code = (uint16_t)json_integer_value(json_object_get(fields, "message_code"));
    for (size_t i = 0; i < COUNT(bodies); i++) {
        if (bodies[i].code != code)
            continue;
        expect_number(fields, "message_code", code);
        bodies[i].check(fields, body);
        vectors_all_taken(fields);
        check_good(recoder_of_body(code), body);
        check_in_message(entry, code, body);
        return i;
    }
    fail_msg("no check for code %u", code);
    return 0;
}

/* R6940-6.3.3-1 R6940-6.3.3-6 R6940-10.9-2 R6940-7.4.1.1-1 R6940-7.4.1.1-2 R6940-7.4.1.2-1
 * R6940-7.4.2.1-1 R6940-7.4.2.1-2 R6940-7.4.2.2-1 R6940-7.4.3.1-1 R6940-7.4.3.2-1 */
static void every_body_has_its_fields_and_bytes(void **state)
{
    (void)state;
    json_t *entries = vectors_load("danpascu_bodies");
    assert_int_equal(json_array_size(entries), 53);
    bool seen[COUNT(bodies)] = { false };
    size_t checked = 0;
    for (; checked < json_array_size(entries); checked++) {
        print_message("%s\n", json_string_value(json_object_get(at(entries, checked), "name")));
        seen[check_body(at(entries, checked))] = true;
    }
    assert_int_equal(checked, 53);
    for (size_t i = 0; i < COUNT(bodies); i++)
        assert_true(seen[i]); /* the vectors hold every method of the RFC */
    json_decref(entries);
    vectors_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_body_has_its_fields_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
