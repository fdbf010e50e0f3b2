#include "check.h"

/* R6940-6.3-1 */
static void integers_are_big_endian(void **state)
{
    (void)state;
    struct reload_slice wire =
        BYTES(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8);
    struct reload_reader r = reload_reader_over(wire);
    assert_int_equal(reload_rd_u8(&r), 1);
    assert_int_equal(reload_rd_u16(&r), 0x0203);
    assert_int_equal(reload_rd_u24(&r), 0x040506);
    assert_int_equal(reload_rd_u32(&r), 0x0708090a);
    assert_true(reload_rd_u64(&r) == 0xfffefdfcfbfaf9f8u);
    assert_int_equal(reload_reader_finish(&r), 0);

    uint8_t buf[18];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    reload_wr_u8(&w, 1);
    reload_wr_u16(&w, 0x0203);
    reload_wr_u24(&w, 0x040506);
    reload_wr_u32(&w, 0x0708090a);
    reload_wr_u64(&w, 0xfffefdfcfbfaf9f8u);
    assert_int_equal(reload_writer_status(&w), 0);
    assert_slice_equal(reload_writer_slice(&w), wire);
}

static void a_failed_read_gives_zero_and_so_does_every_later_one(void **state)
{
    (void)state;
    struct reload_reader r = reload_reader_over(BYTES(1, 2, 3));
    assert_int_equal(reload_rd_u32(&r), 0);
    assert_int_equal(reload_rd_u8(&r), 0);
    assert_int_equal(reload_rd_peek_u8(&r), 0);
    assert_int_equal(reload_rd_bytes(&r, 2).n, 0);
    assert_int_equal(reload_rd_rest(&r).n, 0);
    assert_int_equal(reload_rd_opaque8(&r).n, 0);
    assert_int_equal(reload_reader_left(&r), 0);
    assert_false(reload_reader_more(&r));
    struct reload_reader child = reload_rd_open8(&r);
    assert_false(reload_reader_more(&child));
    assert_int_equal(reload_reader_status(&child), RELOAD_E_DECODE);
    assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);
    assert_int_equal(reload_reader_finish(&r), RELOAD_E_DECODE);
}

/* R6940-6.3.1.1-1 */
static void a_boolean_is_one_byte_of_value_0_or_1(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 256; v++) {
        uint8_t byte = (uint8_t)v;
        struct reload_reader r = reload_reader_of(&byte, 1);
        assert_int_equal(reload_rd_boolean(&r), v == 1);
        assert_int_equal(reload_reader_finish(&r), v <= 1 ? 0 : RELOAD_E_DECODE);
    }
    uint8_t buf[2];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    reload_wr_boolean(&w, true);
    reload_wr_boolean(&w, false);
    assert_slice_equal(reload_writer_slice(&w), BYTES(1, 0));
}

typedef struct reload_slice read_vector(struct reload_reader *);
typedef struct reload_reader open_vector(struct reload_reader *);
typedef void write_vector(struct reload_writer *, struct reload_slice);
typedef size_t open_prefix(struct reload_writer *);
typedef void close_prefix(struct reload_writer *, size_t);

static const struct {
    size_t width;
    read_vector *read;
    open_vector *open;
    write_vector *write;
    open_prefix *wr_open;
    close_prefix *wr_close;
} widths[] = {
    { 1, reload_rd_opaque8, reload_rd_open8, reload_wr_opaque8, reload_wr_open8, reload_wr_close8 },
    { 2, reload_rd_opaque16, reload_rd_open16, reload_wr_opaque16, reload_wr_open16,
      reload_wr_close16 },
    { 3, reload_rd_opaque24, reload_rd_open24, reload_wr_opaque24, reload_wr_open24,
      reload_wr_close24 },
    { 4, reload_rd_opaque32, reload_rd_open32, reload_wr_opaque32, reload_wr_open32,
      reload_wr_close32 },
};

/* R6940-6.3.1-1 R6940-6.3.1-2 R6940-6.3.1-3 */
static void a_vector_has_a_byte_count_of_1_to_4_bytes_in_front(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(widths); i++) {
        uint8_t wire[8] = { 0 };
        size_t n = widths[i].width + 3;
        wire[widths[i].width - 1] = 3;
        memcpy(wire + widths[i].width, "abc", 3);

        struct reload_reader r = reload_reader_of(wire, n);
        assert_slice_equal(widths[i].read(&r), TEXT("abc"));
        assert_int_equal(reload_reader_finish(&r), 0);

        r = reload_reader_of(wire, n);
        struct reload_reader child = widths[i].open(&r);
        assert_slice_equal(reload_rd_rest(&child), TEXT("abc"));
        reload_rd_close(&r, &child);
        assert_int_equal(reload_reader_finish(&r), 0);

        uint8_t buf[8];
        struct reload_writer w = reload_writer_of(buf, sizeof buf);
        widths[i].write(&w, TEXT("abc"));
        assert_slice_equal(reload_writer_slice(&w), reload_slice_of(wire, n));

        w = reload_writer_of(buf, sizeof buf);
        size_t mark = widths[i].wr_open(&w);
        reload_wr_bytes(&w, TEXT("abc"));
        widths[i].wr_close(&w, mark);
        assert_slice_equal(reload_writer_slice(&w), reload_slice_of(wire, n));
    }
}

static void a_vector_longer_than_what_is_there_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(widths); i++) {
        uint8_t wire[8];
        memset(wire, 0xff, sizeof wire);
        for (size_t n = 0; n < sizeof wire; n++) {
            struct reload_reader r = reload_reader_of(wire, n);
            assert_int_equal(widths[i].read(&r).n, 0);
            assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);
            r = reload_reader_of(wire, n);
            struct reload_reader child = widths[i].open(&r);
            assert_false(reload_reader_more(&child));
            assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);
        }
    }
}

static void closing_a_child_demands_that_all_of_it_was_read(void **state)
{
    (void)state;
    struct reload_reader r = reload_reader_over(BYTES(2, 7, 8, 9));
    struct reload_reader child = reload_rd_open8(&r);
    assert_int_equal(reload_rd_u8(&child), 7);
    reload_rd_close(&r, &child);
    assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);

    r = reload_reader_over(BYTES(2, 7, 8, 9));
    child = reload_rd_open8(&r);
    (void)reload_rd_u32(&child);
    reload_rd_close(&r, &child);
    assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);
}

static void finishing_demands_that_nothing_is_left(void **state)
{
    (void)state;
    struct reload_reader r = reload_reader_over(BYTES(1, 2));
    (void)reload_rd_u8(&r);
    assert_int_equal(reload_reader_status(&r), 0);
    assert_int_equal(reload_reader_finish(&r), RELOAD_E_DECODE);
}

static void an_empty_input_reads_as_nothing(void **state)
{
    (void)state;
    struct reload_reader r = reload_reader_of(NULL, 0);
    assert_false(reload_reader_more(&r));
    assert_int_equal(reload_rd_rest(&r).n, 0);
    assert_int_equal(reload_rd_bytes(&r, 0).n, 0);
    assert_int_equal(reload_reader_finish(&r), 0);
    assert_int_equal(reload_rd_u8(&r), 0);
    assert_int_equal(reload_reader_finish(&r), RELOAD_E_DECODE);
}

static void what_was_read_can_be_had_as_one_slice(void **state)
{
    (void)state;
    struct reload_slice wire = BYTES(1, 2, 3, 4);
    struct reload_reader r = reload_reader_over(wire);
    (void)reload_rd_u8(&r);
    const uint8_t *start = r.p;
    (void)reload_rd_u16(&r);
    struct reload_slice s = reload_rd_since(&r, start);
    assert_ptr_equal(s.p, wire.p + 1);
    assert_int_equal(s.n, 2);
    (void)reload_rd_u16(&r);
    assert_int_equal(reload_rd_since(&r, start).n, 0);
}

static void a_writer_never_writes_past_its_room(void **state)
{
    (void)state;
    uint8_t buf[4] = { 9, 9, 9, 9 };
    struct reload_writer w = reload_writer_of(buf, 3);
    reload_wr_u16(&w, 1);
    reload_wr_u16(&w, 2);
    assert_int_equal(reload_writer_status(&w), RELOAD_E_NOSPACE);
    reload_wr_u8(&w, 3); /* would fit, but the error is sticky */
    assert_int_equal(reload_writer_slice(&w).n, 0);
    assert_int_equal(w.len, 2);
    assert_int_equal(buf[2], 9);
    assert_int_equal(buf[3], 9);
}

static void a_length_beyond_its_prefix_fails_the_writer(void **state)
{
    (void)state;
    static uint8_t content[70000], buf[70010];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    reload_wr_opaque8(&w, reload_slice_of(content, 255));
    assert_int_equal(reload_writer_status(&w), 0);
    reload_wr_opaque8(&w, reload_slice_of(content, 256));
    assert_int_equal(reload_writer_status(&w), RELOAD_E_NOSPACE);

    w = reload_writer_of(buf, sizeof buf);
    size_t mark = reload_wr_open16(&w);
    reload_wr_bytes(&w, reload_slice_of(content, 65535));
    reload_wr_close16(&w, mark);
    assert_int_equal(reload_writer_status(&w), 0);
    assert_int_equal(buf[0], 0xff);
    assert_int_equal(buf[1], 0xff);

    w = reload_writer_of(buf, sizeof buf);
    mark = reload_wr_open16(&w);
    reload_wr_bytes(&w, reload_slice_of(content, 65536));
    reload_wr_close16(&w, mark);
    assert_int_equal(reload_writer_status(&w), RELOAD_E_NOSPACE);

    w = reload_writer_of(buf, sizeof buf);
    reload_wr_u24(&w, 0xffffff);
    assert_int_equal(reload_writer_status(&w), 0);
    reload_wr_u24(&w, 0x1000000);
    assert_int_equal(reload_writer_status(&w), RELOAD_E_NOSPACE);
}

static void whoever_uses_a_cursor_can_fail_it(void **state)
{
    (void)state;
    struct reload_reader r = reload_reader_over(BYTES(1));
    reload_rd_fail(&r);
    assert_int_equal(reload_reader_status(&r), RELOAD_E_DECODE);
    uint8_t buf[1];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    reload_wr_fail(&w);
    assert_int_equal(reload_writer_status(&w), RELOAD_E_NOSPACE);
    reload_wr_u8(&w, 1);
    assert_int_equal(w.len, 0);
}

static void prefixes_nest(void **state)
{
    (void)state;
    uint8_t buf[16];
    struct reload_writer w = reload_writer_of(buf, sizeof buf);
    size_t outer = reload_wr_open16(&w);
    size_t inner = reload_wr_open8(&w);
    reload_wr_u8(&w, 5);
    reload_wr_close8(&w, inner);
    reload_wr_u8(&w, 6);
    reload_wr_close16(&w, outer);
    assert_slice_equal(reload_writer_slice(&w), BYTES(0, 3, 1, 5, 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_big_endian),
        cmocka_unit_test(a_failed_read_gives_zero_and_so_does_every_later_one),
        cmocka_unit_test(a_boolean_is_one_byte_of_value_0_or_1),
        cmocka_unit_test(a_vector_has_a_byte_count_of_1_to_4_bytes_in_front),
        cmocka_unit_test(a_vector_longer_than_what_is_there_fails),
        cmocka_unit_test(closing_a_child_demands_that_all_of_it_was_read),
        cmocka_unit_test(finishing_demands_that_nothing_is_left),
        cmocka_unit_test(an_empty_input_reads_as_nothing),
        cmocka_unit_test(what_was_read_can_be_had_as_one_slice),
        cmocka_unit_test(a_writer_never_writes_past_its_room),
        cmocka_unit_test(a_length_beyond_its_prefix_fails_the_writer),
        cmocka_unit_test(whoever_uses_a_cursor_can_fail_it),
        cmocka_unit_test(prefixes_nest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
