#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reload/alloc.h"
#include "reload/frame/stream.h"

#define MAX 300 /* max_message_size of most tests */

struct got { /* what came out of a stream */
    size_t data, acks;
    uint32_t last_sequence;
    size_t bytes;
    int end; /* the last status */
};

static size_t put(uint8_t *at, uint8_t type, uint32_t sequence, size_t len)
{
    uint8_t message[MAX];
    for (size_t i = 0; i < len; i++)
        message[i] = (uint8_t)(sequence + i);
    struct reload_frame frame = { .type = type, .sequence = sequence, .message = { message, len } };
    struct reload_writer w = reload_writer_of(at, 512);
    assert_int_equal(reload_frame_encode(&w, &frame), 0);
    return w.len;
}

/* data(0 bytes), ack, data(1), data(MAX), ack: every sort of frame and both ends of the length. */
static size_t sample(uint8_t *at)
{
    size_t n = put(at, RELOAD_FRAME_DATA, 0, 0);
    n += put(at + n, RELOAD_FRAME_ACK, 0, 0);
    n += put(at + n, RELOAD_FRAME_DATA, 1, 1);
    n += put(at + n, RELOAD_FRAME_DATA, 2, MAX);
    return n + put(at + n, RELOAD_FRAME_ACK, 2, 0);
}

/* Feeds a piece from memory of its own exact size, so that the sanitizer sees any byte too far. */
static void feed(struct reload_frame_stream *stream, const uint8_t *p, size_t n, struct got *got)
{
    uint8_t *piece = malloc(n ? n : 1);
    if (n)
        memcpy(piece, p, n);
    struct reload_slice input = { piece, n };
    struct reload_frame frame;
    while ((got->end = reload_frame_stream_next(stream, &input, &frame)) == 0) {
        got->data += frame.type == RELOAD_FRAME_DATA;
        got->acks += frame.type == RELOAD_FRAME_ACK;
        got->last_sequence = frame.sequence;
        got->bytes += frame.message.n;
        for (size_t i = 0; i < frame.message.n; i++)
            assert_int_equal(frame.message.p[i], (uint8_t)(frame.sequence + i));
    }
    if (got->end == RELOAD_FRAME_STREAM_MORE)
        assert_int_equal(input.n, 0);
    free(piece);
}

static void assert_sample(const struct got *got)
{
    assert_int_equal(got->end, RELOAD_FRAME_STREAM_MORE);
    assert_int_equal(got->data, 3);
    assert_int_equal(got->acks, 2);
    assert_int_equal(got->last_sequence, 2);
    assert_int_equal(got->bytes, 1 + MAX);
}

/* R6940-6.6.2-8 */
static void frames_come_out_the_same_however_the_stream_is_cut_in_two(void **state)
{
    (void)state;
    uint8_t wire[1024];
    size_t n = sample(wire);
    for (size_t cut = 0; cut <= n; cut++) {
        struct reload_frame_stream stream;
        struct got got = { 0 };
        reload_frame_stream_init(&stream, MAX);
        feed(&stream, wire, cut, &got);
        feed(&stream, wire + cut, n - cut, &got);
        assert_sample(&got);
        reload_frame_stream_fini(&stream);
    }
}

static void frames_come_out_the_same_in_pieces_of_any_one_size(void **state)
{
    (void)state;
    uint8_t wire[1024];
    size_t n = sample(wire);
    for (size_t step = 1; step < n; step++) {
        struct reload_frame_stream stream;
        struct got got = { 0 };
        reload_frame_stream_init(&stream, MAX);
        for (size_t at = 0; at < n; at += step)
            feed(&stream, wire + at, n - at < step ? n - at : step, &got);
        assert_sample(&got);
        reload_frame_stream_fini(&stream);
    }
}

static void whole_frames_are_neither_copied_nor_allocated(void **state)
{
    (void)state;
    uint8_t wire[1024];
    struct reload_slice input = { wire, sample(wire) };
    struct reload_frame_stream stream;
    reload_frame_stream_init(&stream, MAX);
    unsigned long before = reload_alloc_count();
    struct reload_frame frame;
    while (reload_frame_stream_next(&stream, &input, &frame) == 0)
        if (frame.message.n)
            assert_true(frame.message.p > wire && frame.message.p < wire + sizeof wire);
    assert_int_equal(reload_alloc_count(), before);
    reload_frame_stream_fini(&stream);
}

/* R6940-6.6.2-7 */
static void an_unknown_type_breaks_the_stream_for_good(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        if (type == RELOAD_FRAME_DATA || type == RELOAD_FRAME_ACK)
            continue;
        uint8_t wire[64];
        size_t n = put(wire, RELOAD_FRAME_DATA, 0, 3);
        wire[n] = (uint8_t)type;
        struct reload_frame_stream stream;
        struct got got = { 0 };
        reload_frame_stream_init(&stream, MAX);
        feed(&stream, wire, n + 1, &got);
        assert_int_equal(got.end, RELOAD_E_DECODE);
        assert_int_equal(got.data, 1);
        feed(&stream, wire, n, &got);
        assert_int_equal(got.end, RELOAD_E_STATE);
        assert_int_equal(got.data, 1);
        reload_frame_stream_fini(&stream);
    }
}

/* R6940-6.6-1 R6940-6.6-2 */
static void an_oversize_message_is_told_by_its_beginning_before_it_has_arrived(void **state)
{
    (void)state;
    uint8_t wire[RELOAD_FRAME_DATA_HEADER_LEN + MAX];
    static const size_t lens[] = { MAX + 1, MAX + 2, 65536, RELOAD_FRAME_MESSAGE_MAX };
    for (size_t i = 0; i < 4; i++) {
        reload_frame_data_header(wire, 0, lens[i]);
        memset(wire + RELOAD_FRAME_DATA_HEADER_LEN, 0x5a, MAX);
        for (size_t cut = 0; cut < sizeof wire; cut++) {
            struct reload_frame_stream stream;
            reload_frame_stream_init(&stream, MAX);
            struct reload_slice first = { wire, cut };
            struct reload_slice second = { wire + cut, sizeof wire - cut };
            struct reload_frame frame;
            assert_int_equal(reload_frame_stream_next(&stream, &first, &frame),
                             RELOAD_FRAME_STREAM_MORE);
            assert_true(stream.cap <= sizeof wire);
            assert_int_equal(reload_frame_stream_next(&stream, &second, &frame), RELOAD_E_LIMIT);
            assert_int_equal(frame.message.n, MAX);
            assert_memory_equal(frame.message.p, wire + RELOAD_FRAME_DATA_HEADER_LEN, MAX);
            assert_int_equal(reload_frame_stream_next(&stream, &second, &frame), RELOAD_E_STATE);
            reload_frame_stream_fini(&stream);
        }
    }
}

static void a_message_of_exactly_the_maximum_is_fine(void **state)
{
    (void)state;
    uint8_t wire[512];
    size_t n = put(wire, RELOAD_FRAME_DATA, 9, MAX);
    struct reload_frame_stream stream;
    struct got got = { 0 };
    reload_frame_stream_init(&stream, MAX);
    feed(&stream, wire, n, &got);
    assert_int_equal(got.data, 1);
    reload_frame_stream_fini(&stream);
    reload_frame_stream_init(&stream, MAX - 1);
    feed(&stream, wire, n, &got);
    assert_int_equal(got.end, RELOAD_E_LIMIT);
    reload_frame_stream_fini(&stream);
}

static void memory_is_bounded_by_the_maximum_and_given_back(void **state)
{
    (void)state;
    uint8_t wire[512];
    size_t n = put(wire, RELOAD_FRAME_DATA, 0, MAX);
    struct reload_frame_stream stream;
    struct got got = { 0 };
    reload_frame_stream_init(&stream, MAX);
    for (int round = 0; round < 3; round++) {
        feed(&stream, wire, n - 1, &got);
        assert_int_equal(stream.cap, RELOAD_FRAME_DATA_HEADER_LEN + MAX);
        feed(&stream, wire + n - 1, 1, &got);
        assert_null(stream.buffer);
    }
    assert_int_equal(got.data, 3);
    reload_frame_stream_fini(&stream);
}

static void without_memory_the_stream_breaks_and_nothing_leaks(void **state)
{
    (void)state;
    uint8_t wire[512];
    size_t n = put(wire, RELOAD_FRAME_DATA, 0, MAX);
    struct reload_frame_stream stream;
    struct got got = { 0 };
    reload_frame_stream_init(&stream, MAX);
    reload_alloc_fail_at(1);
    feed(&stream, wire, n - 1, &got);
    reload_alloc_fail_at(0);
    assert_int_equal(got.end, RELOAD_E_NOMEM);
    feed(&stream, wire, n, &got);
    assert_int_equal(got.end, RELOAD_E_STATE);
    reload_frame_stream_fini(&stream);
}

static void random_bytes_in_random_pieces_never_overstep(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (int run = 0; run < 2000; run++) {
        struct reload_frame_stream stream;
        reload_frame_stream_init(&stream, 64);
        struct reload_frame frame;
        int status = RELOAD_FRAME_STREAM_MORE;
        while (status >= 0) {
            uint8_t piece[48];
            seed = seed * 1664525 + 1013904223;
            size_t n = seed >> 8 & 31;
            for (size_t i = 0; i < n; i++) {
                seed = seed * 1664525 + 1013904223;
                piece[i] =
                    seed >> 16 & 3 ? (uint8_t)(128 + (seed >> 20 & 1)) : (uint8_t)(seed >> 24 & 1);
            }
            struct reload_slice input = { piece, n };
            while ((status = reload_frame_stream_next(&stream, &input, &frame)) == 0)
                assert_true(frame.message.n <= 64);
            assert_true(stream.cap <= 72);
        }
        assert_true(status == RELOAD_E_DECODE || status == RELOAD_E_LIMIT);
        reload_frame_stream_fini(&stream);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_the_same_however_the_stream_is_cut_in_two),
        cmocka_unit_test(frames_come_out_the_same_in_pieces_of_any_one_size),
        cmocka_unit_test(whole_frames_are_neither_copied_nor_allocated),
        cmocka_unit_test(an_unknown_type_breaks_the_stream_for_good),
        cmocka_unit_test(an_oversize_message_is_told_by_its_beginning_before_it_has_arrived),
        cmocka_unit_test(a_message_of_exactly_the_maximum_is_fine),
        cmocka_unit_test(memory_is_bounded_by_the_maximum_and_given_back),
        cmocka_unit_test(without_memory_the_stream_breaks_and_nothing_leaks),
        cmocka_unit_test(random_bytes_in_random_pieces_never_overstep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
