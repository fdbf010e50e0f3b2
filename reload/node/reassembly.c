#include "reload/node/state.h"

#include "reload/alloc.h"

/* Reassembly (RFC 6940 s6.7). A message under way is known by its transaction_id and by
 * whether it answers a request of ours: a request that came round to its sender and its response
 * are kept apart. All live equally long, so the list by age is the list by deadline. */

struct range {
    uint32_t from, to;
};

struct reload_reassembly {
    struct reload_reassembly *newer, *older;
    uint64_t transaction_id, hash;
    bool own;            /* of a transaction of this node: a response */
    reload_link_id link; /* that began it */
    uint64_t until_ms;
    uint8_t *bytes, *header; /* header: of the offset-0 fragment */
    size_t capacity, header_len;
    uint32_t total;                                /* 0 until the last fragment is here */
    struct range ranges[RELOAD_REASSEMBLY_RANGES]; /* received, ascending, never touching */
    size_t range_count;
};

static void forget(struct reload_node *node, struct reload_reassembly *r)
{
    struct reload_reassemblies *all = &node->reassemblies;
    *(r->older ? &r->older->newer : &all->oldest) = r->newer;
    *(r->newer ? &r->newer->older : &all->newest) = r->older;
    reload_table_remove(&all->by_id, r->hash, r);
    all->count--;
    all->bytes -= r->capacity + r->header_len;
    reload_free(r->bytes);
    reload_free(r->header);
    reload_free(r);
}

static struct reload_reassembly *find(const struct reload_node *node, uint64_t hash,
                                      uint64_t transaction_id, bool own)
{
    size_t place = 0;
    struct reload_reassembly *r;
    while ((r = reload_table_next(&node->reassemblies.by_id, hash, &place)))
        if (r->transaction_id == transaction_id && r->own == own)
            return r;
    return NULL;
}

struct share { /* of one link */
    size_t count, bytes;
};

static struct share share_of(const struct reload_node *node, reload_link_id link)
{
    struct share share = { 0 };
    for (const struct reload_reassembly *r = node->reassemblies.oldest; r; r = r->newer) {
        if (r->link != link)
            continue;
        share.count++;
        share.bytes += r->capacity + r->header_len;
    }
    return share;
}

static struct reload_reassembly *begin(struct reload_node *node, reload_link_id link, uint64_t hash,
                                       uint64_t transaction_id, bool own)
{
    struct reload_reassemblies *all = &node->reassemblies;
    if (all->count >= node->config.limits.max_reassemblies ||
        share_of(node, link).count >= RELOAD_REASSEMBLY_PER_LINK)
        return NULL;
    struct reload_reassembly *r = reload_calloc(1, sizeof *r);
    if (!r || reload_table_insert(&all->by_id, hash, r) != 0) {
        reload_free(r);
        return NULL;
    }
    r->transaction_id = transaction_id;
    r->hash = hash;
    r->own = own;
    r->link = link;
    r->until_ms = node->now.monotonic_ms + reload_request_lifetime_ms(node);
    r->older = all->newest;
    *(all->newest ? &all->newest->newer : &all->oldest) = r;
    all->newest = r;
    all->count++;
    return r;
}

/* Room up to `end`, inside every limit. */
static bool make_room(struct reload_node *node, struct reload_reassembly *r, uint32_t end,
                      size_t header_len)
{
    struct reload_reassemblies *all = &node->reassemblies;
    size_t more = (end > r->capacity ? end - r->capacity : 0) + header_len;
    if (end > node->overlay->max_message_size || /* docs/protocol.md */
        all->bytes + more > node->config.limits.max_reassembly_bytes ||
        share_of(node, r->link).bytes + more > RELOAD_REASSEMBLY_BYTES_PER_LINK)
        return false;
    if (end <= r->capacity)
        return true;
    uint8_t *bytes = reload_realloc(r->bytes, end);
    if (!bytes)
        return false;
    all->bytes += end - r->capacity;
    r->bytes = bytes;
    r->capacity = end;
    return true;
}

/* Whether every byte that is here already equals the new one (docs/protocol.md). */
static bool agrees(const struct reload_reassembly *r, uint32_t from, struct reload_slice payload)
{
    uint32_t to = from + (uint32_t)payload.n;
    for (size_t i = 0; i < r->range_count; i++) {
        uint32_t a = from > r->ranges[i].from ? from : r->ranges[i].from;
        uint32_t b = to < r->ranges[i].to ? to : r->ranges[i].to;
        if (a < b && memcmp(r->bytes + a, payload.p + (a - from), b - a) != 0)
            return false;
    }
    return true;
}

/* Adds [from, to) to the ranges and merges what then touches. False when there are too many gaps.
 */
static bool mark(struct reload_reassembly *r, uint32_t from, uint32_t to)
{
    struct range merged[RELOAD_REASSEMBLY_RANGES + 1];
    size_t count = 0;
    bool placed = false;
    for (size_t i = 0; i < r->range_count; i++) {
        struct range old = r->ranges[i];
        if (old.to >= from && old.from <= to) {
            from = old.from < from ? old.from : from;
            to = old.to > to ? old.to : to;
            continue;
        }
        if (old.from > to && !placed) {
            merged[count++] = (struct range){ from, to };
            placed = true;
        }
        merged[count++] = old;
    }
    if (!placed)
        merged[count++] = (struct range){ from, to };
    if (count > RELOAD_REASSEMBLY_RANGES)
        return false;
    memcpy(r->ranges, merged, count * sizeof *merged);
    r->range_count = count;
    return true;
}

static bool complete(const struct reload_reassembly *r)
{
    return r->total && r->header && r->range_count == 1 && r->ranges[0].from == 0 &&
           r->ranges[0].to == r->total;
}

static bool keep_header(struct reload_node *node, struct reload_reassembly *r,
                        struct reload_slice bytes)
{
    if (r->header)
        return true;
    r->header = reload_memdup(bytes.p, bytes.n);
    if (!r->header)
        return false;
    r->header_len = bytes.n;
    node->reassemblies.bytes += bytes.n;
    return true;
}

/* Whether the fragment's place in the message contradicts what is known of its length. */
static bool consistent(const struct reload_reassembly *r, uint32_t end, bool last)
{
    uint32_t reached = r->range_count ? r->ranges[r->range_count - 1].to : 0;
    if (r->total)
        return end <= r->total && (!last || end == r->total);
    return !last || end >= reached;
}

static bool fits(const struct reload_reassembly *r, struct reload_slice fragment,
                 const struct reload_forwarding_header *h)
{
    struct reload_slice payload = reload_payload(fragment, h);
    uint32_t from = reload_fragment_offset(h);
    return payload.n > 0 && consistent(r, from + (uint32_t)payload.n, reload_fragment_is_last(h)) &&
           agrees(r, from, payload);
}

static bool put(struct reload_node *node, struct reload_reassembly *r, struct reload_slice fragment,
                const struct reload_forwarding_header *h)
{
    struct reload_slice payload = reload_payload(fragment, h);
    uint32_t from = reload_fragment_offset(h), end = from + (uint32_t)payload.n;
    bool last = reload_fragment_is_last(h);
    if (!fits(r, fragment, h)) {
        reload_drop(node, RELOAD_DROP_FRAGMENT, NULL, NULL);
        return false;
    }
    struct reload_slice head = { fragment.p, from == 0 ? fragment.n - payload.n : 0 };
    if (!make_room(node, r, end, r->header ? 0 : head.n) ||
        (head.n && !keep_header(node, r, head)) || !mark(r, from, end)) {
        reload_drop(node, RELOAD_DROP_FRAGMENT_LIMIT, NULL, NULL);
        return false;
    }
    memcpy(r->bytes + from, payload.p, payload.n);
    if (last)
        r->total = end;
    return true;
}

/* Moves the message into the arena. */
static bool take_out(struct reload_node *node, struct reload_reassembly *r,
                     struct reload_forwarding_header *header, struct reload_slice *payload)
{
    struct reload_arena *arena = &node->queue.arena;
    uint8_t *head = reload_arena_copy(arena, r->header, r->header_len);
    uint8_t *body = reload_arena_copy(arena, r->bytes, r->total);
    struct reload_slice message = { head, r->header_len };
    *payload = (struct reload_slice){ body, r->total };
    forget(node, r);
    if (!head || !body)
        return false;
    /* The header alone is decoded as a message without payload. */
    struct reload_writer w = reload_writer_of(head + RELOAD_HEADER_LENGTH_AT, 4);
    reload_wr_u32(&w, (uint32_t)message.n);
    if (reload_forwarding_header_decode(message, reload_node_id_length(node), header) != 0)
        return false;
    header->fragment = RELOAD_FRAGMENT_WHOLE;
    return true;
}

/* A transaction of ours, and for a Node-ID, which is this one's: our own requests to it never
 * leave. What is for a Resource-ID is a request. */
static bool is_response(const struct reload_node *node, const struct reload_forwarding_header *h)
{
    struct reload_reader r = reload_reader_over(h->destination_list);
    struct reload_destination last = { 0 };
    while (reload_destination_next(&r, reload_node_id_length(node), &last))
        ;
    return last.type != RELOAD_DEST_RESOURCE && reload_transaction_find(node, h->transaction_id);
}

bool reload_reassembly_add(struct reload_node *node, const struct reload_slot *slot,
                           struct reload_slice fragment,
                           const struct reload_forwarding_header *fragment_header,
                           struct reload_forwarding_header *header, struct reload_slice *payload)
{
    uint64_t id = fragment_header->transaction_id;
    bool own = is_response(node, fragment_header);
    uint64_t hash = reload_hash_u64(&node->key, id);
    struct reload_reassembly *r = find(node, hash, id, own);
    if (r && own && !fits(r, fragment, fragment_header)) { /* another answer, of other bytes */
        reload_drop(node, RELOAD_DROP_FRAGMENT, slot, NULL);
        forget(node, r);
        r = NULL;
    }
    bool fresh = !r;
    if (!r)
        r = begin(node, slot->link, hash, id, own);
    if (!r) { /* s6.7: no room, so it is dropped */
        reload_drop(node, RELOAD_DROP_FRAGMENT_LIMIT, slot, NULL);
        return false;
    }
    if (!put(node, r, fragment, fragment_header)) {
        if (fresh)
            forget(node, r);
        return false;
    }
    return complete(r) && take_out(node, r, header, payload);
}

void reload_reassembly_forget_answer(struct reload_node *node, uint64_t transaction_id)
{
    uint64_t hash = reload_hash_u64(&node->key, transaction_id);
    struct reload_reassembly *r = find(node, hash, transaction_id, true);
    if (r)
        forget(node, r);
}

uint64_t reload_reassembly_deadline(const struct reload_node *node)
{
    return node->reassemblies.oldest ? node->reassemblies.oldest->until_ms : RELOAD_NEVER;
}

void reload_reassembly_tick(struct reload_node *node)
{
    while (node->reassemblies.oldest &&
           node->reassemblies.oldest->until_ms <= node->now.monotonic_ms) {
        reload_drop(node, RELOAD_DROP_FRAGMENT_TIMEOUT, NULL, NULL);
        forget(node, node->reassemblies.oldest);
    }
}

void reload_reassembly_fini(struct reload_node *node)
{
    while (node->reassemblies.oldest)
        forget(node, node->reassemblies.oldest);
    reload_table_fini(&node->reassemblies.by_id);
}
