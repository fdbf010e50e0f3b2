#include "reload/wire/id.h"

#include <assert.h>

static bool all_bytes_are(struct reload_slice s, uint8_t byte)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != byte)
            return false;
    return true;
}

bool reload_node_id_is_valid(struct reload_slice s)
{
    return s.n >= RELOAD_NODE_ID_MIN && s.n <= RELOAD_NODE_ID_MAX && !all_bytes_are(s, 0);
}

struct reload_node_id reload_node_id_from(struct reload_slice s)
{
    struct reload_node_id id = { 0 };
    if (s.n == 0 || s.n > RELOAD_NODE_ID_MAX)
        return id;
    id.len = (uint8_t)s.n;
    memcpy(id.bytes, s.p, s.n);
    return id;
}

struct reload_node_id reload_rd_node_id(struct reload_reader *r, size_t node_id_len)
{
    struct reload_slice s = reload_rd_bytes(r, node_id_len);
    if (!reload_node_id_is_valid(s)) /* RFC 6940 s3: all zeros is invalid */
        reload_rd_fail(r);
    return reload_node_id_from(s);
}

void reload_wr_node_id(struct reload_writer *w, const struct reload_node_id *id)
{
    if (!reload_node_id_is_valid(reload_node_id_slice(id)))
        reload_wr_fail(w);
    reload_wr_bytes(w, reload_node_id_slice(id));
}

struct reload_slice reload_rd_node_ids16(struct reload_reader *r, size_t node_id_len)
{
    struct reload_slice list = reload_rd_opaque16(r);
    struct reload_reader ids = reload_reader_over(list);
    while (reload_reader_more(&ids))
        if (!reload_node_id_is_valid(reload_rd_bytes(&ids, node_id_len)))
            reload_rd_fail(&ids);
    reload_rd_close(r, &ids);
    return list;
}

bool reload_node_id_next(struct reload_reader *list, size_t node_id_len, struct reload_node_id *out)
{
    if (!reload_reader_more(list))
        return false;
    *out = reload_rd_node_id(list, node_id_len);
    return !list->failed;
}

bool reload_node_id_equal(const struct reload_node_id *a, const struct reload_node_id *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

int reload_node_id_compare(const struct reload_node_id *a, const struct reload_node_id *b)
{
    assert(a->len == b->len);
    return memcmp(a->bytes, b->bytes, a->len);
}

bool reload_node_id_is_wildcard(const struct reload_node_id *id)
{
    return id->len != 0 && all_bytes_are(reload_node_id_slice(id), 0xff);
}

struct reload_node_id reload_node_id_wildcard(size_t node_id_len)
{
    assert(node_id_len <= RELOAD_NODE_ID_MAX);
    struct reload_node_id id = { .len = (uint8_t)node_id_len };
    memset(id.bytes, 0xff, node_id_len);
    return id;
}

const char *reload_node_id_text(const struct reload_node_id *id, char text[RELOAD_NODE_ID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < id->len; i++) {
        text[n++] = digits[id->bytes[i] >> 4];
        text[n++] = digits[id->bytes[i] & 0xf];
    }
    text[n] = '\0';
    return text;
}
