#include "reload/wire/destination.h"

static struct reload_slice read_node(struct reload_reader *data, size_t node_id_len)
{
    struct reload_slice id = reload_rd_bytes(data, node_id_len);
    if (!reload_node_id_is_valid(id)) /* RFC 6940 s3: all zeros is invalid */
        reload_rd_fail(data);
    return id;
}

int reload_destination_decode(struct reload_reader *r, size_t node_id_len,
                              struct reload_destination *out)
{
    *out = (struct reload_destination){ 0 };
    if (reload_rd_peek_u8(r) & 0x80) { /* s6.3.2.2: the 16-bit form is a 2-byte opaque id */
        *out = (struct reload_destination){ RELOAD_DEST_OPAQUE, true, reload_rd_bytes(r, 2) };
        return reload_reader_status(r);
    }
    out->type = reload_rd_u8(r);
    struct reload_reader data = reload_rd_open8(r);
    switch (out->type) {
    case RELOAD_DEST_INVALID: reload_rd_fail(&data); break;
    case RELOAD_DEST_NODE: out->id = read_node(&data, node_id_len); break;
    case RELOAD_DEST_RESOURCE:
    case RELOAD_DEST_OPAQUE: out->id = reload_rd_opaque8(&data); break;
    default: out->id = reload_rd_rest(&data); /* s6.3.2.2: unknown, step over it */
    }
    reload_rd_close(r, &data);
    return reload_reader_status(r);
}

/* s6.3.2.2: two bytes, the first bit set. */
static bool fits_compact(const struct reload_destination *d)
{
    return d->type == RELOAD_DEST_OPAQUE && d->id.n == 2 && (d->id.p[0] & 0x80) != 0;
}

static bool is_encodable(const struct reload_destination *d)
{
    if (d->compact)
        return fits_compact(d);
    if (d->type == RELOAD_DEST_NODE)
        return reload_node_id_is_valid(d->id); /* s3: never send the invalid value */
    return d->type != RELOAD_DEST_INVALID && d->type < 0x80;
}

int reload_destination_encode(struct reload_writer *w, const struct reload_destination *d)
{
    if (!is_encodable(d)) {
        reload_wr_fail(w);
        return reload_writer_status(w);
    }
    if (d->compact) {
        reload_wr_bytes(w, d->id);
        return reload_writer_status(w);
    }
    reload_wr_u8(w, d->type);
    size_t mark = reload_wr_open8(w);
    if (d->type == RELOAD_DEST_RESOURCE || d->type == RELOAD_DEST_OPAQUE)
        reload_wr_opaque8(w, d->id);
    else
        reload_wr_bytes(w, d->id);
    reload_wr_close8(w, mark);
    return reload_writer_status(w);
}

bool reload_destination_next(struct reload_reader *list, size_t node_id_len,
                             struct reload_destination *out)
{
    return reload_reader_more(list) && reload_destination_decode(list, node_id_len, out) == 0;
}

struct reload_destination reload_destination_node(const struct reload_node_id *id)
{
    return (struct reload_destination){ RELOAD_DEST_NODE, false, reload_node_id_slice(id) };
}

struct reload_destination reload_destination_resource(struct reload_slice resource_id)
{
    return (struct reload_destination){ RELOAD_DEST_RESOURCE, false, resource_id };
}

struct reload_destination reload_destination_opaque(struct reload_slice opaque_id)
{
    struct reload_destination d = { RELOAD_DEST_OPAQUE, false, opaque_id };
    d.compact = fits_compact(&d);
    return d;
}

bool reload_destination_equal(const struct reload_destination *a,
                              const struct reload_destination *b)
{
    return a->type == b->type && reload_slice_equal(a->id, b->id);
}

bool reload_destination_is_node(const struct reload_destination *d, const struct reload_node_id *id)
{
    return d->type == RELOAD_DEST_NODE && reload_slice_equal(d->id, reload_node_id_slice(id));
}

int reload_via_list_validate(struct reload_slice list, size_t node_id_len)
{
    struct reload_reader r = reload_reader_over(list);
    struct reload_destination d;
    bool resource = false;
    while (reload_destination_next(&r, node_id_len, &d))
        resource = resource || d.type == RELOAD_DEST_RESOURCE;
    if (r.failed)
        return RELOAD_E_DECODE;
    return resource ? RELOAD_E_INVALID : 0;
}

/* Whether d is among the first `count` entries of the list. */
static bool is_among(struct reload_slice list, size_t node_id_len, size_t count,
                     const struct reload_destination *d)
{
    struct reload_reader r = reload_reader_over(list);
    struct reload_destination other;
    for (size_t i = 0; i < count && reload_destination_next(&r, node_id_len, &other); i++)
        if (reload_destination_equal(d, &other))
            return true;
    return false;
}

int reload_destination_list_validate(struct reload_slice list, size_t node_id_len)
{
    struct reload_reader r = reload_reader_over(list);
    struct reload_destination d;
    size_t count = 0;
    while (reload_destination_next(&r, node_id_len, &d)) {
        if (count == RELOAD_DESTINATION_LIST_MAX)
            return RELOAD_E_LIMIT;
        if (d.type == RELOAD_DEST_RESOURCE && reload_reader_more(&r))
            return RELOAD_E_INVALID; /* s6.3.2.2: only in the final location */
        if (is_among(list, node_id_len, count, &d))
            return RELOAD_E_INVALID; /* s13.6.5 */
        count++;
    }
    if (r.failed)
        return RELOAD_E_DECODE;
    return count == 0 ? RELOAD_E_INVALID : 0;
}

int reload_via_list_reverse(struct reload_writer *w, struct reload_slice list, size_t node_id_len)
{
    if (w->failed || w->cap - w->len < list.n) {
        reload_wr_fail(w);
        return RELOAD_E_NOSPACE;
    }
    /* Entries are copied as they are, from the end of the space to its start. */
    size_t end = w->len + list.n;
    struct reload_reader r = reload_reader_over(list);
    struct reload_destination d;
    while (reload_reader_more(&r)) {
        const uint8_t *start = r.p;
        if (reload_destination_decode(&r, node_id_len, &d) != 0)
            return RELOAD_E_DECODE;
        size_t n = (size_t)(r.p - start);
        end -= n;
        memcpy(w->buf + end, start, n);
    }
    w->len += list.n;
    return 0;
}
