#include "reload/wire/cursor.h"

#include <assert.h>

/* --- reading --- */

/* The next n bytes, or NULL with the reader failed. n is not 0: NULL + 0 is no valid pointer. */
static const uint8_t *take(struct reload_reader *r, size_t n)
{
    if (r->failed || (size_t)(r->end - r->p) < n) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    return p;
}

static uint64_t take_number(struct reload_reader *r, size_t width)
{
    const uint8_t *p = take(r, width);
    uint64_t v = 0;
    for (size_t i = 0; p != NULL && i < width; i++)
        v = v << 8 | p[i];
    return v;
}

int reload_reader_status(const struct reload_reader *r)
{
    return r->failed ? RELOAD_E_DECODE : 0;
}

int reload_reader_finish(struct reload_reader *r)
{
    if (r->p != r->end)
        r->failed = true;
    return reload_reader_status(r);
}

void reload_rd_fail(struct reload_reader *r)
{
    r->failed = true;
}

uint8_t reload_rd_peek_u8(const struct reload_reader *r)
{
    return reload_reader_more(r) ? *r->p : 0;
}

uint8_t reload_rd_u8(struct reload_reader *r)
{
    const uint8_t *p = take(r, 1);
    return p != NULL ? *p : 0;
}

uint16_t reload_rd_u16(struct reload_reader *r)
{
    return (uint16_t)take_number(r, 2);
}

uint32_t reload_rd_u24(struct reload_reader *r)
{
    return (uint32_t)take_number(r, 3);
}

uint32_t reload_rd_u32(struct reload_reader *r)
{
    return (uint32_t)take_number(r, 4);
}

uint64_t reload_rd_u64(struct reload_reader *r)
{
    return take_number(r, 8);
}

bool reload_rd_boolean(struct reload_reader *r)
{
    uint8_t v = reload_rd_u8(r);
    if (v > 1) /* RFC 6940 s6.3.1.1: a boolean value is either a 1 or a 0 */
        r->failed = true;
    return v == 1;
}

struct reload_slice reload_rd_bytes(struct reload_reader *r, size_t n)
{
    if (n == 0)
        return (struct reload_slice){ r->p, 0 };
    const uint8_t *p = take(r, n);
    return (struct reload_slice){ p, p != NULL ? n : 0 };
}

struct reload_slice reload_rd_rest(struct reload_reader *r)
{
    return reload_rd_bytes(r, reload_reader_left(r));
}

static struct reload_slice read_vector(struct reload_reader *r, size_t width)
{
    uint64_t n = take_number(r, width); /* s6.3.1: prefixes count bytes; at most 2^32-1 */
    if (n > reload_reader_left(r)) {
        r->failed = true;
        return (struct reload_slice){ NULL, 0 };
    }
    return reload_rd_bytes(r, (size_t)n);
}

struct reload_slice reload_rd_opaque8(struct reload_reader *r)
{
    return read_vector(r, 1);
}

struct reload_slice reload_rd_opaque16(struct reload_reader *r)
{
    return read_vector(r, 2);
}

struct reload_slice reload_rd_opaque24(struct reload_reader *r)
{
    return read_vector(r, 3);
}

struct reload_slice reload_rd_opaque32(struct reload_reader *r)
{
    return read_vector(r, 4);
}

static struct reload_reader open_vector(struct reload_reader *r, size_t width)
{
    struct reload_reader child = reload_reader_over(read_vector(r, width));
    child.failed = r->failed;
    return child;
}

struct reload_reader reload_rd_open8(struct reload_reader *r)
{
    return open_vector(r, 1);
}

struct reload_reader reload_rd_open16(struct reload_reader *r)
{
    return open_vector(r, 2);
}

struct reload_reader reload_rd_open24(struct reload_reader *r)
{
    return open_vector(r, 3);
}

struct reload_reader reload_rd_open32(struct reload_reader *r)
{
    return open_vector(r, 4);
}

void reload_rd_close(struct reload_reader *r, const struct reload_reader *child)
{
    if (child->failed || child->p != child->end)
        r->failed = true;
}

/* --- writing --- */

/* Room for the next n bytes, or NULL with the writer failed. n is not 0. */
static uint8_t *place(struct reload_writer *w, size_t n)
{
    if (w->failed || w->cap - w->len < n) {
        w->failed = true;
        return NULL;
    }
    uint8_t *p = w->buf + w->len;
    w->len += n;
    return p;
}

static void put_number(uint8_t *p, size_t width, uint64_t v)
{
    for (size_t i = width; i > 0; i--, v >>= 8)
        p[i - 1] = (uint8_t)v;
}

static void place_number(struct reload_writer *w, size_t width, uint64_t v)
{
    uint8_t *p = place(w, width);
    if (p != NULL)
        put_number(p, width, v);
}

static uint64_t greatest(size_t width)
{
    return ((uint64_t)1 << 8 * width) - 1;
}

int reload_writer_status(const struct reload_writer *w)
{
    return w->failed ? RELOAD_E_NOSPACE : 0;
}

void reload_wr_fail(struct reload_writer *w)
{
    w->failed = true;
}

void reload_wr_u8(struct reload_writer *w, uint8_t v)
{
    uint8_t *p = place(w, 1);
    if (p != NULL)
        *p = v;
}

void reload_wr_u16(struct reload_writer *w, uint16_t v)
{
    place_number(w, 2, v);
}

void reload_wr_u24(struct reload_writer *w, uint32_t v)
{
    if (v > greatest(3))
        w->failed = true;
    place_number(w, 3, v);
}

void reload_wr_u32(struct reload_writer *w, uint32_t v)
{
    place_number(w, 4, v);
}

void reload_wr_u64(struct reload_writer *w, uint64_t v)
{
    place_number(w, 8, v);
}

void reload_wr_boolean(struct reload_writer *w, bool v)
{
    reload_wr_u8(w, v ? 1 : 0);
}

void reload_wr_bytes(struct reload_writer *w, struct reload_slice s)
{
    if (s.n == 0)
        return;
    uint8_t *p = place(w, s.n);
    if (p != NULL)
        memcpy(p, s.p, s.n);
}

static void write_vector(struct reload_writer *w, size_t width, struct reload_slice s)
{
    if (s.n > greatest(width))
        w->failed = true;
    place_number(w, width, s.n);
    reload_wr_bytes(w, s);
}

void reload_wr_opaque8(struct reload_writer *w, struct reload_slice s)
{
    write_vector(w, 1, s);
}

void reload_wr_opaque16(struct reload_writer *w, struct reload_slice s)
{
    write_vector(w, 2, s);
}

void reload_wr_opaque24(struct reload_writer *w, struct reload_slice s)
{
    write_vector(w, 3, s);
}

void reload_wr_opaque32(struct reload_writer *w, struct reload_slice s)
{
    write_vector(w, 4, s);
}

static size_t open_prefix(struct reload_writer *w, size_t width)
{
    size_t mark = w->len;
    place_number(w, width, 0);
    return mark;
}

static void close_prefix(struct reload_writer *w, size_t width, size_t mark)
{
    if (w->failed)
        return;
    assert(mark + width <= w->len);
    size_t n = w->len - mark - width;
    if (n > greatest(width)) {
        w->failed = true;
        return;
    }
    put_number(w->buf + mark, width, n);
}

size_t reload_wr_open8(struct reload_writer *w)
{
    return open_prefix(w, 1);
}

size_t reload_wr_open16(struct reload_writer *w)
{
    return open_prefix(w, 2);
}

size_t reload_wr_open24(struct reload_writer *w)
{
    return open_prefix(w, 3);
}

size_t reload_wr_open32(struct reload_writer *w)
{
    return open_prefix(w, 4);
}

void reload_wr_close8(struct reload_writer *w, size_t mark)
{
    close_prefix(w, 1, mark);
}

void reload_wr_close16(struct reload_writer *w, size_t mark)
{
    close_prefix(w, 2, mark);
}

void reload_wr_close24(struct reload_writer *w, size_t mark)
{
    close_prefix(w, 3, mark);
}

void reload_wr_close32(struct reload_writer *w, size_t mark)
{
    close_prefix(w, 4, mark);
}
