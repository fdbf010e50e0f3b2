#include "reload/wire/find.h"
#include "reload/store/held.h"
#include "reload/store/refuse.h"
#include "reload/wire/error.h"

/* Find (RFC 6940 s7.4.4). "Closest" is read as the first at or clockwise after the one asked for,
 * which is what makes the walk by nearest(1 + R) visit everything. */

static bool has_live_value(const struct reload_held_kind *kind, struct reload_time now)
{
    for (size_t i = 0; i < kind->count; i++)
        if (reload_held_is_live(kind->entries[i], now))
            return true;
    return false;
}

/* The Kind's record at the first resource from `key` on (Kind-ID and Resource-ID), or NULL. */
static struct reload_held_kind *first_from(const struct reload_store *store, uint32_t kind,
                                           struct reload_slice key, struct reload_time now)
{
    struct reload_tree_node *node = reload_tree_from(&store->kinds, key);
    for (; node; node = reload_tree_after(&store->kinds, node->key)) {
        struct reload_held_kind *held = reload_held_kind_of_node(node);
        if (held->id != kind)
            return NULL;
        if (has_live_value(held, now))
            return held;
    }
    return NULL;
}

static struct reload_slice closest(const struct reload_store *store, uint32_t kind,
                                   struct reload_slice resource, struct reload_time now)
{
    uint8_t key[4 + RELOAD_RESOURCE_ID_MAX];
    struct reload_writer w = reload_writer_of(key, sizeof key);
    reload_wr_u32(&w, kind);
    reload_wr_bytes(&w, resource);
    struct reload_held_kind *held = first_from(store, kind, reload_writer_slice(&w), now);
    if (!held) /* around the ring */
        held = first_from(store, kind, reload_slice_of(key, 4), now);
    static const uint8_t zero[RELOAD_NODE_ID_MAX];
    return held ? held->resource->node.key
                : reload_slice_of(zero, store->config->node_id_length); /* s7.4.4.2 */
}

static bool is_barred(const struct reload_store *store, uint32_t kind)
{
    const struct reload_kind_config *config = reload_config_kind(store->config, kind);
    return config && config->ops && config->ops->bars_find;
}

uint16_t reload_store_handle_find(struct reload_store *store, struct reload_slice body,
                                  bool responsible, struct reload_time now,
                                  struct reload_writer *answer)
{
    struct reload_find_req req;
    size_t start = answer->len;
    if (reload_find_req_decode(body, &req))
        return reload_refuse(answer, start, RELOAD_ERROR_INVALID_MESSAGE, "malformed FindReq");
    if (reload_find_req_validate(&req))
        return reload_refuse(answer, start, RELOAD_ERROR_INVALID_MESSAGE, "a Kind appears twice");
    if (!responsible)
        return reload_refuse(answer, start, RELOAD_ERROR_NOT_FOUND,
                             "not responsible for this resource");
    struct reload_reader kinds = reload_reader_over(req.kinds);
    uint32_t kind;
    size_t mark = reload_wr_open16(answer);
    while (reload_kind_id_next(&kinds, &kind)) {
        if (is_barred(store, kind)) /* s7.4.4.2 */
            continue;
        const struct reload_find_kind_data data = { kind, closest(store, kind, req.resource, now) };
        if (reload_find_kind_data_encode(answer, &data))
            return reload_refuse(answer, start, RELOAD_ERROR_RESPONSE_TOO_LARGE,
                                 RELOAD_WHY_NO_ROOM);
    }
    reload_wr_close16(answer, mark);
    if (reload_writer_status(answer))
        return reload_refuse(answer, start, RELOAD_ERROR_RESPONSE_TOO_LARGE, RELOAD_WHY_NO_ROOM);
    return 0;
}
