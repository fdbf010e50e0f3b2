#include "check.h"

#include <stdio.h>
#include <string.h>

#include "peer/decode/decode.h"
#include "peer/json.h"
#include "reload/wire/message.h"
#include "reload/wire/store.h"

/* What an independent encoder made (tests/data/vectors) must come out as JSON, whole; cut or
 * damaged bytes must end as an error with its place. */

static const struct reload_decode_options options = { .node_id_len = 16 };

static json_t *load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/vectors/%s.json", RELOAD_TEST_DATA, name);
    json_t *vectors = json_load_file(path, 0, NULL);
    assert_true(json_array_size(vectors) > 0);
    return vectors;
}

static json_t *decode_hex(const char *hex, int expected)
{
    json_t *objects;
    assert_int_equal(reload_decode_input(reload_slice_of(hex, strlen(hex)), &options, &objects),
                     expected);
    return objects;
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* R6940-6.3.3-1 */
static void every_body_of_the_vectors_is_printed_by_its_name(void **state)
{
    (void)state;
    json_t *vectors = load("danpascu_bodies"), *entry;
    size_t i;
    json_array_foreach(vectors, i, entry)
    {
        json_t *objects = decode_hex(text_of(entry, "message_hex"), 0);
        json_t *object = json_array_get(objects, 0), *body = json_object_get(object, "body");
        json_int_t code =
            json_integer_value(json_object_get(json_object_get(entry, "fields"), "message_code"));
        assert_int_equal(json_array_size(objects), 1);
        assert_int_equal(json_integer_value(json_object_get(object, "message_code")), code);
        assert_string_equal(text_of(object, "message"), reload_message_name((uint16_t)code));
        assert_non_null(body);
        assert_null(json_object_get(body, "hex")); /* that would be a body nobody printed */
        json_decref(objects);
    }
    json_decref(vectors);
}

static json_t *printed_registration(struct reload_slice value)
{
    uint8_t buffer[512];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    struct reload_stored_data data = {
        .value = { .model = RELOAD_MODEL_DICTIONARY, .data = { true, value } },
        .signature.identity.type = RELOAD_SIGNER_NONE,
    };
    size_t mark = reload_store_req_begin(&w, reload_slice_of("0123456789abcdef", 16), 0);
    size_t kind = reload_store_kind_begin(&w, 1, 0);
    assert_int_equal(reload_stored_data_encode(&w, &data), 0);
    reload_store_kind_end(&w, kind);
    reload_store_req_end(&w, mark);
    json_t *body = reload_decode_body(RELOAD_STORE_REQ, reload_writer_slice(&w), &options);
    json_t *kinds = json_object_get(body, "kind_data");
    json_t *values = json_object_get(json_array_get(kinds, 0), "values");
    json_t *printed =
        json_object_get(json_object_get(json_array_get(values, 0), "value"), "sip_registration");
    json_incref(printed);
    json_decref(body);
    return printed;
}

/* R7904-3.2-1 R7904-3.2-8 */
static void registrations_are_printed_by_their_type(void **state)
{
    (void)state;
    json_t *uri = printed_registration(reload_slice_of("\x01\x00\x05\x00\x03"
                                                       "a@b",
                                                       8));
    assert_string_equal(text_of(uri, "type"), "uri");
    assert_string_equal(text_of(uri, "uri"), "a@b");
    json_t *route = printed_registration(reload_slice_of("\x02\x00\x16\x00\x00\x00\x12\x01\x10"
                                                         "0123456789abcdef",
                                                         25));
    assert_string_equal(text_of(route, "type"), "route");
    assert_int_equal(json_array_size(json_object_get(route, "destination_list")), 1);
    json_t *other = printed_registration(reload_slice_of("\x09\x00\x01x", 4));
    assert_int_equal(json_integer_value(json_object_get(other, "type")), 9);
    assert_string_equal(text_of(other, "data"), "78");
    assert_true(json_is_null(printed_registration(reload_slice_of("x", 1))));
    json_decref(uri);
    json_decref(route);
    json_decref(other);
}

static json_t *body_named(const char *name)
{
    json_t *vectors = load("danpascu_bodies"), *entry, *body = NULL;
    size_t i;
    json_array_foreach(vectors, i, entry) if (strcmp(text_of(entry, "name"), name) == 0)
    {
        json_t *objects = decode_hex(text_of(entry, "message_hex"), 0);
        body = json_incref(json_object_get(json_array_get(objects, 0), "body"));
        json_decref(objects);
    }
    json_decref(vectors);
    assert_non_null(body);
    return body;
}

/* R6940-6.3.3.1-1 */
static void error_info_is_opened_where_the_code_gives_it_a_form(void **state)
{
    (void)state;
    json_t *forbidden = body_named("error_forbidden");
    assert_string_equal(text_of(forbidden, "error_name"), "Error_Forbidden");
    json_decref(forbidden);
    const char *unknown_kinds = "000c 0005 04 f0000001";
    json_t *objects;
    assert_int_equal(reload_decode_input_body(reload_slice_of(unknown_kinds, strlen(unknown_kinds)),
                                              "error", &options, &objects),
                     0);
    json_t *info = json_object_get(json_array_get(objects, 0), "error_info");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(info, "unknown_kinds"), 0)),
                     0xf0000001);
    json_decref(objects);
}

static void stored_values_are_printed_by_their_kinds_model(void **state)
{
    (void)state;
    static const struct {
        const char *name, *model, *member;
    } cases[] = { { "store_req_single", "single", "value" },
                  { "store_req_array", "array", "index" },
                  { "store_req_dictionary", "dictionary", "key" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *body = body_named(cases[i].name);
        json_t *kind = json_array_get(json_object_get(body, "kind_data"), 0);
        json_t *value = json_array_get(json_object_get(kind, "values"), 0);
        assert_string_equal(text_of(kind, "data_model"), cases[i].model);
        assert_non_null(json_object_get(value, cases[i].member));
        assert_non_null(json_object_get(value, "signature"));
        json_decref(body);
    }
}

/* R6940-6.3.4-1 */
static void signed_messages_show_signer_and_certificate(void **state)
{
    (void)state;
    json_t *vectors = load("danpascu_signed_messages"), *entry;
    size_t i;
    json_array_foreach(vectors, i, entry)
    {
        json_t *objects = decode_hex(text_of(entry, "hex"), 0);
        json_t *security = json_object_get(json_array_get(objects, 0), "security");
        json_t *signature = json_object_get(security, "signature");
        json_t *certificate = json_array_get(json_object_get(security, "certificates"), 0);
        assert_non_null(json_object_get(signature, "identity"));
        assert_true(strlen(text_of(signature, "value")) > 0);
        if (certificate)
            assert_non_null(json_object_get(certificate, "sha256"));
        json_decref(objects);
    }
    json_decref(vectors);
}

/* R6940-6.6.2-1 */
static void frames_in_a_row_become_one_object_each(void **state)
{
    (void)state;
    json_t *vectors = load("capture_tls_danpascu_danpascu"), *entry;
    char all[65536] = "";
    size_t i, len = 0;
    json_array_foreach(vectors, i, entry) len +=
        (size_t)snprintf(all + len, sizeof all - len, "%s\n", text_of(entry, "hex"));
    json_t *objects;
    (void)!reload_decode_input(reload_slice_of(all, len), &options, &objects);
    assert_int_equal(json_array_size(objects), json_array_size(vectors));
    json_array_foreach(vectors, i, entry)
    {
        json_t *frame = json_object_get(json_array_get(objects, i), "frame");
        assert_string_equal(text_of(frame, "type"),
                            text_of(json_object_get(entry, "fields"), "type"));
    }
    json_decref(objects);
    json_decref(vectors);
}

/* --- bad input --- */

static void check_fault(const json_t *objects, size_t len)
{
    const json_t *fault = json_object_get(json_array_get(objects, 0), "error");
    assert_non_null(fault);
    assert_true(json_integer_value(json_object_get(fault, "offset")) <= (json_int_t)len);
    assert_true(strlen(text_of(fault, "what")) > 0);
}

static void each_message(void (*with)(uint8_t *bytes, size_t len))
{
    static const char *const files[] = { "danpascu_bodies", "danpascu_signed_messages" };
    for (size_t f = 0; f < 2; f++) {
        json_t *vectors = load(files[f]), *entry;
        size_t i;
        json_array_foreach(vectors, i, entry)
        {
            const char *hex = text_of(entry, f ? "hex" : "message_hex");
            uint8_t *bytes;
            size_t len, at;
            assert_int_equal(reload_hex_read(hex, strlen(hex), &bytes, &len, &at), 0);
            with(bytes, len);
            free(bytes);
        }
        json_decref(vectors);
    }
}

static void cut(uint8_t *bytes, size_t len)
{
    for (size_t n = 0; n < len; n++) {
        uint8_t *exact = malloc(n + 1); /* so that a read past the end is seen */
        json_t *object;
        memcpy(exact, bytes, n);
        if (n >= 20) { /* the length says what is there: the fault is further in */
            exact[16] = exact[17] = 0;
            exact[18] = (uint8_t)(n >> 8);
            exact[19] = (uint8_t)n;
        }
        assert_int_equal(reload_decode_message(reload_slice_of(exact, n), &options, &object),
                         RELOAD_E_DECODE);
        json_t *objects = json_pack("[o]", object);
        check_fault(objects, n);
        json_decref(objects);
        free(exact);
    }
}

/* R6940-6.3.2-21 */
static void a_message_cut_at_any_byte_is_an_error_with_its_place(void **state)
{
    (void)state;
    each_message(cut);
}

static void flip(uint8_t *bytes, size_t len)
{
    for (size_t bit = 0; bit < 8 * len; bit += 3) {
        json_t *objects;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int error = reload_decode_input(reload_slice_of(bytes, len), &options, &objects);
        assert_true(error == 0 || error == RELOAD_E_DECODE);
        json_decref(objects);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void damaged_messages_never_do_harm(void **state)
{
    (void)state;
    each_message(flip);
}

static void what_is_wrong_is_said(void **state)
{
    static const struct {
        const char *input, *what;
        long long offset;
    } cases[] = {
        { "80 00000000 000005 0102", "frame is cut short", 0 },
        { "81 00000000 00", "frame is cut short", 0 },
        { "d2", "1 bytes are no forwarding header", 0 },
        { "d2 4", "a hexadecimal digit is missing", 4 },
        { "\x0a\x0d\x0d\x0a", "a pcapng file: make it a pcap file with editcap -F pcap IN OUT", 0 },
        { "", "the input is empty", 0 },
        { " \n", "the input is empty", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *objects = decode_hex(cases[i].input, RELOAD_E_DECODE);
        json_t *fault = json_object_get(json_array_get(objects, 0), "error");
        assert_string_equal(text_of(fault, "what"), cases[i].what);
        assert_int_equal(json_integer_value(json_object_get(fault, "offset")), cases[i].offset);
        json_decref(objects);
    }
}

static void a_body_alone_needs_a_known_name_and_its_own_form(void **state)
{
    (void)state;
    json_t *objects;
    assert_int_equal(reload_decode_input_body(TEXT("0000"), "ping_req", &options, &objects), 0);
    json_decref(objects);
    assert_int_equal(reload_decode_input_body(TEXT("0001"), "ping_req", &options, &objects),
                     RELOAD_E_DECODE);
    json_decref(objects);
    assert_int_equal(reload_decode_input_body(TEXT("0000"), "pong", &options, &objects),
                     RELOAD_E_NOT_FOUND);
    json_decref(objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_body_of_the_vectors_is_printed_by_its_name),
        cmocka_unit_test(registrations_are_printed_by_their_type),
        cmocka_unit_test(error_info_is_opened_where_the_code_gives_it_a_form),
        cmocka_unit_test(stored_values_are_printed_by_their_kinds_model),
        cmocka_unit_test(signed_messages_show_signer_and_certificate),
        cmocka_unit_test(frames_in_a_row_become_one_object_each),
        cmocka_unit_test(a_message_cut_at_any_byte_is_an_error_with_its_place),
        cmocka_unit_test(damaged_messages_never_do_harm),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_body_alone_needs_a_known_name_and_its_own_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
