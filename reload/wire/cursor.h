#ifndef RELOAD_WIRE_CURSOR_H
#define RELOAD_WIRE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "reload/error.h"

/* Checked cursors over bytes in the presentation language of RFC 6940 s6.3.1: big-endian integers,
 * vectors with a byte-count prefix of 1 to 4 bytes.
 *
 * Errors are sticky: after a failed read every further read gives zero or an empty slice, and
 * loops over reload_reader_more() end. Check once, at the end, with reload_reader_status(), and act
 * on nothing read before that. The same holds for writers: nothing is written past `cap`.
 *
 * Lists are decoded to one slice, which a reader walks: `..._next()` functions, here and in the
 * other headers of this folder, read one element and answer false at the end of the list, or once
 * their reader has failed. */

struct reload_slice { /* borrowed bytes */
    const uint8_t *p;
    size_t n;
};

struct reload_reader {
    const uint8_t *p, *end;
    bool failed;
};

struct reload_writer {
    uint8_t *buf;
    size_t cap, len;
    bool failed;
};

static inline struct reload_slice reload_slice_of(const void *p, size_t n)
{
    return (struct reload_slice){ (const uint8_t *)p, n };
}

static inline bool reload_slice_equal(struct reload_slice a, struct reload_slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline struct reload_reader reload_reader_of(const void *p, size_t n)
{
    const uint8_t *start = (const uint8_t *)p;
    return (struct reload_reader){ start, n ? start + n : start, false };
}

static inline struct reload_reader reload_reader_over(struct reload_slice s)
{
    return reload_reader_of(s.p, s.n);
}

static inline struct reload_writer reload_writer_of(void *buf, size_t cap)
{
    return (struct reload_writer){ (uint8_t *)buf, cap, 0, false };
}

/* What a writer holds so far; empty once it has failed. */
static inline struct reload_slice reload_writer_slice(const struct reload_writer *w)
{
    return (struct reload_slice){ w->buf, w->failed ? 0 : w->len };
}

/* --- reading --- */
static inline bool reload_reader_more(const struct reload_reader *r)
{
    return !r->failed && r->p != r->end;
}
static inline size_t reload_reader_left(const struct reload_reader *r)
{
    return r->failed ? 0 : (size_t)(r->end - r->p);
}
/* 0, or RELOAD_E_DECODE once any read has failed. */
RELOAD_MUST_USE int reload_reader_status(const struct reload_reader *r);
/* As reload_reader_status(), and fails too when bytes are left over. */
RELOAD_MUST_USE int reload_reader_finish(struct reload_reader *r);
/* For a caller that finds a value wrong. */
void reload_rd_fail(struct reload_reader *r);

uint8_t reload_rd_peek_u8(const struct reload_reader *r); /* 0 when nothing is left */
uint8_t reload_rd_u8(struct reload_reader *r);
uint16_t reload_rd_u16(struct reload_reader *r);
uint32_t reload_rd_u24(struct reload_reader *r);
uint32_t reload_rd_u32(struct reload_reader *r);
uint64_t reload_rd_u64(struct reload_reader *r);
bool reload_rd_boolean(struct reload_reader *r); /* s6.3.1.1: 0 or 1, anything else fails */
struct reload_slice reload_rd_bytes(struct reload_reader *r, size_t n);
struct reload_slice reload_rd_rest(struct reload_reader *r); /* all that is left */
/* A vector's content as a slice; the number is the width of its length prefix in bits. */
struct reload_slice reload_rd_opaque8(struct reload_reader *r);
struct reload_slice reload_rd_opaque16(struct reload_reader *r);
struct reload_slice reload_rd_opaque24(struct reload_reader *r);
struct reload_slice reload_rd_opaque32(struct reload_reader *r);
/* A child reader over a vector. Closing it fails the parent if the child failed or has bytes left.
 */
struct reload_reader reload_rd_open8(struct reload_reader *r);
struct reload_reader reload_rd_open16(struct reload_reader *r);
struct reload_reader reload_rd_open24(struct reload_reader *r);
struct reload_reader reload_rd_open32(struct reload_reader *r);
void reload_rd_close(struct reload_reader *r, const struct reload_reader *child);

/* What was read since r->p was `start`; empty once a read has failed. */
static inline struct reload_slice reload_rd_since(const struct reload_reader *r,
                                                  const uint8_t *start)
{
    return r->failed ? (struct reload_slice){ NULL, 0 }
                     : (struct reload_slice){ start, (size_t)(r->p - start) };
}

/* --- writing --- */
/* 0, or RELOAD_E_NOSPACE once anything did not fit the buffer or a length prefix. */
RELOAD_MUST_USE int reload_writer_status(const struct reload_writer *w);
/* For a caller that has nothing right to write. */
void reload_wr_fail(struct reload_writer *w);
void reload_wr_u8(struct reload_writer *w, uint8_t v);
void reload_wr_u16(struct reload_writer *w, uint16_t v);
void reload_wr_u24(struct reload_writer *w, uint32_t v); /* fails above 2^24-1 */
void reload_wr_u32(struct reload_writer *w, uint32_t v);
void reload_wr_u64(struct reload_writer *w, uint64_t v);
void reload_wr_boolean(struct reload_writer *w, bool v);
void reload_wr_bytes(struct reload_writer *w, struct reload_slice s);
/* A vector; the number is the width of its length prefix in bits. Fails when that is too small. */
void reload_wr_opaque8(struct reload_writer *w, struct reload_slice s);
void reload_wr_opaque16(struct reload_writer *w, struct reload_slice s);
void reload_wr_opaque24(struct reload_writer *w, struct reload_slice s);
void reload_wr_opaque32(struct reload_writer *w, struct reload_slice s);
/* Reserve a length prefix, write the content, then close with the mark that open returned. */
size_t reload_wr_open8(struct reload_writer *w);
size_t reload_wr_open16(struct reload_writer *w);
size_t reload_wr_open24(struct reload_writer *w);
size_t reload_wr_open32(struct reload_writer *w);
void reload_wr_close8(struct reload_writer *w, size_t mark);
void reload_wr_close16(struct reload_writer *w, size_t mark);
void reload_wr_close24(struct reload_writer *w, size_t mark);
void reload_wr_close32(struct reload_writer *w, size_t mark);

#endif
