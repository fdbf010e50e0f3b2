#include "reload/wire/header.h"

#include <assert.h>

/* A list of entries that all decode, up to exactly its last byte. */
static struct reload_slice read_destinations(struct reload_reader *r, size_t len,
                                             size_t node_id_len)
{
    struct reload_slice list = reload_rd_bytes(r, len);
    struct reload_reader entries = reload_reader_over(list);
    struct reload_destination d;
    while (reload_destination_next(&entries, node_id_len, &d))
        ;
    reload_rd_close(r, &entries);
    return list;
}

static struct reload_slice read_options(struct reload_reader *r, size_t len)
{
    struct reload_slice list = reload_rd_bytes(r, len);
    struct reload_reader entries = reload_reader_over(list);
    struct reload_forwarding_option option;
    while (reload_forwarding_option_next(&entries, &option))
        ;
    reload_rd_close(r, &entries);
    return list;
}

int reload_forwarding_header_decode(struct reload_slice message, size_t node_id_len,
                                    struct reload_forwarding_header *out)
{
    struct reload_reader r = reload_reader_over(message);
    if (reload_rd_u32(&r) != RELOAD_TOKEN) /* RFC 6940 s6.3.2 */
        return RELOAD_E_DECODE;
    out->overlay = reload_rd_u32(&r);
    out->configuration_sequence = reload_rd_u16(&r);
    out->version = reload_rd_u8(&r);
    out->ttl = reload_rd_u8(&r);
    out->fragment = reload_rd_u32(&r);
    out->length = reload_rd_u32(&r);
    out->transaction_id = reload_rd_u64(&r);
    out->max_response_length = reload_rd_u32(&r);
    uint16_t via_list_length = reload_rd_u16(&r);
    uint16_t destination_list_length = reload_rd_u16(&r);
    uint16_t options_length = reload_rd_u16(&r);
    if (out->length != message.n) /* a length that is not trusted but compared */
        reload_rd_fail(&r);
    if (!(out->fragment & RELOAD_FRAGMENT_ALWAYS)) /* s6.3.2: the high bit MUST be set */
        reload_rd_fail(&r);
    out->via_list = read_destinations(&r, via_list_length, node_id_len);
    out->destination_list = read_destinations(&r, destination_list_length, node_id_len);
    out->options = read_options(&r, options_length);
    return reload_reader_status(&r);
}

static void write_list_length(struct reload_writer *w, struct reload_slice list)
{
    if (list.n > RELOAD_LIST_MAX)
        reload_wr_fail(w);
    reload_wr_u16(w, (uint16_t)list.n);
}

int reload_forwarding_header_encode(struct reload_writer *w,
                                    const struct reload_forwarding_header *h)
{
    reload_wr_u32(w, RELOAD_TOKEN);
    reload_wr_u32(w, h->overlay);
    reload_wr_u16(w, h->configuration_sequence);
    reload_wr_u8(w, h->version);
    reload_wr_u8(w, h->ttl);
    reload_wr_u32(w, h->fragment | RELOAD_FRAGMENT_ALWAYS); /* s6.3.2 */
    reload_wr_u32(w, h->length);
    reload_wr_u64(w, h->transaction_id);
    reload_wr_u32(w, h->max_response_length);
    write_list_length(w, h->via_list);
    write_list_length(w, h->destination_list);
    write_list_length(w, h->options);
    reload_wr_bytes(w, h->via_list);
    reload_wr_bytes(w, h->destination_list);
    reload_wr_bytes(w, h->options);
    return reload_writer_status(w);
}

void reload_forwarding_header_close(struct reload_writer *w, size_t start)
{
    if (w->failed)
        return;
    assert(start + RELOAD_HEADER_FIXED <= w->len);
    size_t length = w->len - start;
    if (length > UINT32_MAX) {
        reload_wr_fail(w);
        return;
    }
    struct reload_writer field = reload_writer_of(w->buf + start + RELOAD_HEADER_LENGTH_AT, 4);
    reload_wr_u32(&field, (uint32_t)length);
}
