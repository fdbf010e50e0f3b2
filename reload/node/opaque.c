#include "reload/node/state.h"

#include "reload/alloc.h"

/* Compressed ids (RFC 6940 s6.1.3, s6.3.2.2). Two kinds, told apart by their length:
 *  - 16 bits: top bit, 3 bits generation, 12 bits Connection Table index. Names the way back to a
 *    node whose Node-ID is not settled.
 *  - 8 random bytes: a Via List that was kept here because it had grown too long. Nobody can guess
 *    one, so none can be forged. */

#define INDEX_BITS 12

uint16_t reload_opaque_of_slot(const struct reload_node *node, const struct reload_slot *slot)
{
    size_t index = (size_t)(slot - node->connections.slots);
    return (uint16_t)(0x8000u | (unsigned)slot->generation << INDEX_BITS | (unsigned)index);
}

/* s6.3.2.2: a generation that does not match means that the slot serves another link now. */
static struct reload_slot *slot_of_opaque(const struct reload_node *node, struct reload_slice id)
{
    unsigned value = (unsigned)id.p[0] << 8 | id.p[1];
    size_t index = value & ((1u << INDEX_BITS) - 1);
    if (!(value & 0x8000u) || index >= node->connections.capacity)
        return NULL;
    struct reload_slot *slot = &node->connections.slots[index];
    return slot->used && slot->generation == (value >> INDEX_BITS & 7) ? slot : NULL;
}

static void write_number(uint64_t number, uint8_t out[RELOAD_OPAQUE_LEN])
{
    struct reload_writer w = reload_writer_of(out, RELOAD_OPAQUE_LEN);
    reload_wr_u64(&w, number);
}

int reload_opaque_keep(struct reload_node *node, struct reload_slice via_list, uint8_t *out)
{
    struct reload_kept_via *kept = &node->kept[node->kept_next];
    uint8_t *list = reload_memdup(via_list.p, via_list.n);
    if (!list)
        return RELOAD_E_NOMEM;
    if (kept->id && kept->until_ms > node->now.monotonic_ms)
        node->counters.dropped[RELOAD_DROP_LIMIT]++; /* the oldest makes room */
    reload_free(kept->list);
    node->kept_next = (node->kept_next + 1) % RELOAD_OPAQUE_KEPT_MAX;
    uint64_t id = reload_random_u64(&node->random);
    *kept = (struct reload_kept_via){
        .id = id ? id : 1,
        .list = list,
        .len = via_list.n,
        /* s6.1.2: at least overlay-reliability-timer; the request may be repeated all its life. */
        .until_ms = node->now.monotonic_ms + reload_request_lifetime_ms(node),
    };
    write_number(kept->id, out);
    return 0;
}

static const struct reload_kept_via *find_kept(const struct reload_node *node,
                                               struct reload_slice id)
{
    struct reload_reader r = reload_reader_over(id);
    uint64_t number = reload_rd_u64(&r);
    for (size_t i = 0; number && i < RELOAD_OPAQUE_KEPT_MAX; i++)
        if (node->kept[i].id == number && node->kept[i].until_ms > node->now.monotonic_ms)
            return &node->kept[i];
    return NULL;
}

int reload_opaque_expand(struct reload_node *node, struct reload_slice id,
                         struct reload_slot **slot, struct reload_slice *entries)
{
    *slot = NULL;
    *entries = (struct reload_slice){ 0 };
    if (id.n == 2)
        return (*slot = slot_of_opaque(node, id)) ? 0 : RELOAD_E_NOT_FOUND;
    const struct reload_kept_via *kept = id.n == RELOAD_OPAQUE_LEN ? find_kept(node, id) : NULL;
    if (!kept)
        return RELOAD_E_NOT_FOUND;
    struct reload_writer w = reload_arena_writer(&node->queue.arena, kept->len);
    int e = reload_via_list_reverse(&w, reload_slice_of(kept->list, kept->len),
                                    reload_node_id_length(node));
    *entries = reload_writer_slice(&w);
    return e;
}

void reload_opaque_fini(struct reload_node *node)
{
    for (size_t i = 0; i < RELOAD_OPAQUE_KEPT_MAX; i++)
        reload_free(node->kept[i].list);
}
