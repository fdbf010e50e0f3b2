#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "reload/frame/frame.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static size_t from_hex(const char *hex, uint8_t *out, size_t cap)
{
    size_t n = strlen(hex) / 2;
    assert_true(n <= cap);
    for (size_t i = 0; i < n; i++) {
        char byte[3] = { hex[2 * i], hex[2 * i + 1], 0 };
        out[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return n;
}

static int decode(const uint8_t *p, size_t n, struct reload_frame *out)
{
    struct reload_reader r = reload_reader_of(p, n);
    int status = reload_frame_decode(&r, out);
    return status ? status : reload_reader_finish(&r);
}

static void check_fields(const struct reload_frame *frame, const json_t *fields)
{
    bool data = strncmp(json_string_value(json_object_get(fields, "type")), "data", 4) == 0;
    assert_int_equal(frame->type, data ? RELOAD_FRAME_DATA : RELOAD_FRAME_ACK);
    const char *key = data ? "sequence" : "ack_sequence";
    assert_int_equal(frame->sequence, json_integer_value(json_object_get(fields, key)));
    if (data) {
        assert_int_equal(frame->message.n,
                         json_integer_value(json_object_get(fields, "message_length")));
        return;
    }
    const char *received = json_string_value(json_object_get(fields, "received"));
    assert_int_equal(frame->received, strtoul(received, NULL, 16));
}

static void check_vector(const json_t *vector)
{
    uint8_t wire[512], again[512];
    size_t n = from_hex(json_string_value(json_object_get(vector, "hex")), wire, sizeof wire);
    struct reload_frame frame;
    assert_int_equal(decode(wire, n, &frame), 0);
    check_fields(&frame, json_object_get(vector, "fields"));
    struct reload_writer w = reload_writer_of(again, sizeof again);
    assert_int_equal(reload_frame_encode(&w, &frame), 0);
    assert_int_equal(w.len, n);
    assert_memory_equal(again, wire, n);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(decode(wire, cut, &frame), RELOAD_E_DECODE);
    for (size_t cap = 0; cap < n; cap++) {
        w = reload_writer_of(again, cap);
        assert_int_equal(decode(wire, n, &frame), 0);
        assert_int_equal(reload_frame_encode(&w, &frame), RELOAD_E_NOSPACE);
    }
}

/* R6940-6.6.2-1 R6940-6.6.2-2 */
static void frames_of_another_implementation_decode_and_encode_back(void **state)
{
    (void)state;
    static const char *const files[] = { "danpascu_framing.json",
                                         "capture_tls_danpascu_danpascu.json",
                                         "capture_dtls_danpascu_peer_link.json" };
    size_t seen = 0;
    for (size_t i = 0; i < COUNT(files); i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/vectors/%s", RELOAD_TEST_DATA, files[i]);
        json_error_t error;
        json_t *vectors = json_load_file(path, 0, &error);
        if (!vectors)
            fail_msg("%s: %s", path, error.text);
        for (size_t j = 0; j < json_array_size(vectors); j++, seen++)
            check_vector(json_array_get(vectors, j));
        json_decref(vectors);
    }
    assert_int_equal(seen, 4 + 8 + 4);
}

/* R6940-6.6.2-7 */
static void only_types_128_and_129_exist(void **state)
{
    (void)state;
    uint8_t wire[9] = { 0 };
    for (unsigned type = 0; type < 256; type++) {
        struct reload_frame frame;
        struct reload_reader r = reload_reader_of(wire, sizeof wire);
        wire[0] = (uint8_t)type;
        bool known = type == 128 || type == 129;
        assert_int_equal(reload_frame_decode(&r, &frame), known ? 0 : RELOAD_E_DECODE);
        uint8_t out[16];
        struct reload_writer w = reload_writer_of(out, sizeof out);
        struct reload_frame made = { .type = (uint8_t)type };
        assert_int_equal(reload_frame_encode(&w, &made), known ? 0 : RELOAD_E_INVALID);
    }
}

/* R6940-6.6.2-1 */
static void a_message_of_2_to_the_24_does_not_fit_the_length(void **state)
{
    (void)state;
    size_t n = RELOAD_FRAME_MESSAGE_MAX + 1;
    uint8_t *message = calloc(1, n), *out = malloc(n + 16);
    struct reload_frame frame = { .type = RELOAD_FRAME_DATA, .message = { message, n } };
    struct reload_writer w = reload_writer_of(out, n + 16);
    assert_int_equal(reload_frame_encode(&w, &frame), RELOAD_E_NOSPACE);
    frame.message.n--;
    w = reload_writer_of(out, n + 16);
    assert_int_equal(reload_frame_encode(&w, &frame), 0);
    struct reload_frame back;
    assert_int_equal(decode(out, w.len, &back), 0);
    assert_int_equal(back.message.n, RELOAD_FRAME_MESSAGE_MAX);
    free(message);
    free(out);
}

static void a_gathered_header_equals_the_encoded_one(void **state)
{
    (void)state;
    static const uint32_t sequences[] = { 0, 1, 0x01020304, 0xffffffff };
    static const size_t lens[] = { 0, 1, 255, 256, 65536 };
    static uint8_t message[65536], whole[65536 + 16];
    for (size_t i = 0; i < COUNT(sequences); i++) {
        for (size_t j = 0; j < COUNT(lens); j++) {
            struct reload_frame frame = { .type = RELOAD_FRAME_DATA,
                                          .sequence = sequences[i],
                                          .message = { message, lens[j] } };
            struct reload_writer w = reload_writer_of(whole, sizeof whole);
            assert_int_equal(reload_frame_encode(&w, &frame), 0);
            uint8_t header[RELOAD_FRAME_DATA_HEADER_LEN];
            reload_frame_data_header(header, sequences[i], lens[j]);
            assert_memory_equal(header, whole, sizeof header);
        }
    }
}

static void sequence_order_survives_the_wrap(void **state)
{
    (void)state;
    assert_true(reload_sequence_after(1, 0));
    assert_false(reload_sequence_after(0, 0));
    assert_false(reload_sequence_after(0, 1));
    assert_true(reload_sequence_after(0, 0xffffffff));
    assert_true(reload_sequence_after(5, 0xfffffff0));
    assert_false(reload_sequence_after(0xfffffff0, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_another_implementation_decode_and_encode_back),
        cmocka_unit_test(only_types_128_and_129_exist),
        cmocka_unit_test(a_message_of_2_to_the_24_does_not_fit_the_length),
        cmocka_unit_test(a_gathered_header_equals_the_encoded_one),
        cmocka_unit_test(sequence_order_survives_the_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
