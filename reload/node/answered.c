#include "reload/node/state.h"

#include "reload/alloc.h"

/* The duplicate cache (RFC 6940 s6.2.1): a request that comes again within the maximum request
 * lifetime gets the answer it got, and is not applied again.
 *
 * A request is known by transaction_id and signer, both of them proved by its signature. To spare
 * the check for plain repetitions, the bytes that were verified are remembered as a keyed hash:
 * whoever sends the same contents and signature again has, by that, the same signature to show.
 * The hash's key is secret, so no other bytes can be made to match.
 *
 * All entries live equally long, so their order of arrival is that of their deadlines. */

struct reload_answered {
    struct reload_answered *newer, *older;
    uint64_t transaction_id, hash, request_hash;
    struct reload_node_id signer;
    uint64_t until_ms;
    uint8_t *payload; /* NULL: still being handled */
    size_t len;
};

static void forget(struct reload_node *node, struct reload_answered *a)
{
    struct reload_answers *all = &node->answers;
    *(a->older ? &a->older->newer : &all->oldest) = a->newer;
    *(a->newer ? &a->newer->older : &all->newest) = a->older;
    reload_table_remove(&all->by_id, a->hash, a);
    all->count--;
    all->bytes -= a->len;
    reload_free(a->payload);
    reload_free(a);
}

static enum reload_duplicate state_of(const struct reload_answered *a, struct reload_slice *payload)
{
    *payload = (struct reload_slice){ a->payload, a->len };
    return a->payload ? RELOAD_DUPLICATE_ANSWERED : RELOAD_DUPLICATE_PENDING;
}

enum reload_duplicate reload_answered_same(struct reload_node *node, uint64_t transaction_id,
                                           struct reload_slice request,
                                           struct reload_slice *payload)
{
    size_t place = 0;
    uint64_t hash = reload_hash_u64(&node->key, transaction_id), request_hash = 0;
    struct reload_answered *a;
    while ((a = reload_table_next(&node->answers.by_id, hash, &place))) {
        if (a->transaction_id != transaction_id)
            continue;
        if (!request_hash)
            request_hash = reload_hash(&node->key, request);
        if (a->request_hash == request_hash)
            return state_of(a, payload);
    }
    return RELOAD_DUPLICATE_NO;
}

static struct reload_answered *find(const struct reload_node *node, uint64_t transaction_id,
                                    const struct reload_node_id *signer)
{
    size_t place = 0;
    uint64_t hash = reload_hash_u64(&node->key, transaction_id);
    struct reload_answered *a;
    while ((a = reload_table_next(&node->answers.by_id, hash, &place)))
        if (a->transaction_id == transaction_id && reload_node_id_equal(&a->signer, signer))
            return a;
    return NULL;
}

enum reload_duplicate reload_answered_from(struct reload_node *node, uint64_t transaction_id,
                                           const struct reload_node_id *signer,
                                           struct reload_slice *payload)
{
    const struct reload_answered *a = find(node, transaction_id, signer);
    return a ? state_of(a, payload) : RELOAD_DUPLICATE_NO;
}

/* Makes room for one more entry, or for its bytes: the oldest goes. */
static void make_room(struct reload_node *node, size_t entries, size_t bytes)
{
    struct reload_answers *all = &node->answers;
    while (all->oldest && (all->count + entries > node->config.limits.max_answered ||
                           all->bytes + bytes > node->config.limits.max_answered_bytes)) {
        node->counters.dropped[RELOAD_DROP_LIMIT]++;
        forget(node, all->oldest);
    }
}

int reload_answered_begin(struct reload_node *node, uint64_t transaction_id,
                          const struct reload_node_id *signer, struct reload_slice request)
{
    struct reload_answers *all = &node->answers;
    make_room(node, 1, 0);
    struct reload_answered *a = reload_calloc(1, sizeof *a);
    uint64_t hash = reload_hash_u64(&node->key, transaction_id);
    if (!a || reload_table_insert(&all->by_id, hash, a) != 0) {
        reload_free(a);
        return RELOAD_E_NOMEM;
    }
    a->transaction_id = transaction_id;
    a->hash = hash;
    a->request_hash = reload_hash(&node->key, request);
    a->signer = *signer;
    a->until_ms = node->now.monotonic_ms + reload_request_lifetime_ms(node);
    a->older = all->newest;
    *(all->newest ? &all->newest->newer : &all->oldest) = a;
    all->newest = a;
    all->count++;
    return 0;
}

void reload_answered_end(struct reload_node *node, const struct reload_reply *reply,
                         struct reload_slice payload)
{
    struct reload_answered *a = find(node, reply->transaction_id, &reply->signer);
    if (!a || a->payload)
        return;
    uint8_t *copy = reload_memdup(payload.p, payload.n);
    if (!copy || payload.n > node->config.limits.max_answered_bytes) {
        reload_free(copy);
        forget(node, a);
        return;
    }
    a->payload = copy;
    a->len = payload.n;
    node->answers.bytes += payload.n;
    make_room(node, 0, 0);
}

void reload_answered_forget(struct reload_node *node, const struct reload_reply *reply)
{
    struct reload_answered *a = find(node, reply->transaction_id, &reply->signer);
    if (a)
        forget(node, a);
}

uint64_t reload_answered_deadline(const struct reload_node *node)
{
    return node->answers.oldest ? node->answers.oldest->until_ms : RELOAD_NEVER;
}

void reload_answered_tick(struct reload_node *node)
{
    while (node->answers.oldest && node->answers.oldest->until_ms <= node->now.monotonic_ms)
        forget(node, node->answers.oldest);
}

void reload_answered_fini(struct reload_node *node)
{
    while (node->answers.oldest)
        forget(node, node->answers.oldest);
    reload_table_fini(&node->answers.by_id);
}
