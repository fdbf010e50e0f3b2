#include "reload/node/offer.h"

#include "reload/alloc.h"

/* The node's life, its entry points, and time. */

static size_t or_default(size_t value, size_t fallback)
{
    return value ? value : fallback;
}

static void fill_limits(struct reload_node_limits *l)
{
    l->max_links = or_default(l->max_links, 1024);
    if (l->max_links > RELOAD_SLOTS_MAX)
        l->max_links = RELOAD_SLOTS_MAX;
    l->max_transactions = or_default(l->max_transactions, 4096);
    l->max_answered = or_default(l->max_answered, 4096);
    l->max_answered_bytes = or_default(l->max_answered_bytes, 4u << 20);
    l->max_reassemblies = or_default(l->max_reassemblies, 256);
    l->max_reassembly_bytes = or_default(l->max_reassembly_bytes, 8u << 20);
    l->max_attaches = or_default(l->max_attaches, 128);
    l->max_app_attaches = or_default(l->max_app_attaches, 128);
    l->max_pushes = or_default(l->max_pushes, 256);
    l->store.max_bytes = or_default(l->store.max_bytes, 64u << 20);
    l->store.max_resources = or_default(l->store.max_resources, 100000);
    if (!l->store.max_lifetime_s)
        l->store.max_lifetime_s = 30 * 86400;
}

static struct reload_node *make(const struct reload_node_config *config, struct reload_time now)
{
    struct reload_node *node = reload_calloc(1, sizeof *node);
    if (!node)
        return NULL;
    node->config = *config;
    fill_limits(&node->config.limits);
    node->crypto = config->crypto;
    node->overlay = config->overlay;
    node->random = config->random;
    node->ops = config->topology;
    node->self = config->crypto->own->node_id;
    node->wildcard = reload_node_id_wildcard(config->overlay->node_id_length);
    node->now = node->started = now;
    node->key.k0 = reload_random_u64(&node->random);
    node->key.k1 = reload_random_u64(&node->random);
    node->next_token = node->next_request = 1;
    node->work_end = &node->work;
    node->waiting.end = &node->waiting.first;
    node->refusals = RELOAD_REFUSALS_BURST;
    node->refusals_at_ms = now.monotonic_ms;
    return node;
}

static int furnish(struct reload_node *node, struct reload_time now)
{
    int e = reload_connections_init(node);
    if (e == 0)
        e = reload_store_new(node->crypto, node->overlay, node->ops->resource_id,
                             &node->config.limits.store, &node->store);
    if (e != 0)
        return e;
    reload_store_persist(node->store, node->config.persist);
    reload_host_init(node);
    return node->ops->create(&node->host, now, &node->topology);
}

int reload_node_new(const struct reload_node_config *config, struct reload_time now,
                    struct reload_node **out)
{
    *out = NULL;
    if (!config->crypto || !config->overlay || !config->topology || !config->random.fill ||
        config->crypto->own->node_id.len != config->overlay->node_id_length)
        return RELOAD_E_INVALID;
    struct reload_node *node = make(config, now);
    if (!node)
        return RELOAD_E_NOMEM;
    int e = furnish(node, now);
    if (e != 0) {
        reload_node_free(node);
        return e;
    }
    *out = node;
    return 0;
}

static void release_configs(struct reload_node *node)
{
    if (node->owned)
        node->config.config_ops->release(node->config.config_context, node->owned);
    if (node->retired)
        node->config.config_ops->release(node->config.config_context, node->retired);
}

void reload_node_free(struct reload_node *node)
{
    if (!node)
        return;
    if (node->topology)
        node->ops->destroy(node->topology);
    reload_store_free(node->store);
    reload_storage_fini(node);
    reload_publish_fini(node);
    reload_pushes_fini(node);
    reload_replicas_fini(node);
    reload_attaches_fini(node);
    reload_app_attaches_fini(node);
    reload_transactions_fini(node);
    reload_answered_fini(node);
    reload_reassembly_fini(node);
    reload_waiting_fini(node);
    reload_opaque_fini(node);
    reload_connections_fini(node);
    reload_timers_fini(&node->timers);
    reload_queue_fini(&node->queue);
    release_configs(node);
    reload_free(node);
}

/* --- every call --- */

void reload_node_enter(struct reload_node *node, struct reload_time now)
{
    node->now = now;
    if (!reload_queue_is_empty(&node->queue) || node->work)
        return;
    /* Everything was pulled: nothing refers to the arena or to a replaced configuration. */
    reload_arena_reset(&node->queue.arena);
    if (node->retired) {
        node->config.config_ops->release(node->config.config_context, node->retired);
        node->retired = NULL;
    }
}

void reload_node_settle(struct reload_node *node)
{
    reload_work_run(node);
    reload_waiting_go_on(node);
    reload_storage_flush(node);
}

bool reload_node_next(struct reload_node *node, struct reload_action *action)
{
    return reload_queue_pull(&node->queue, action);
}

/* --- links --- */

void reload_node_link_up(struct reload_node *node, reload_link_id link,
                         const struct reload_node_link *info, struct reload_time now)
{
    reload_node_enter(node, now);
    reload_connection_up(node, link, info);
    reload_node_settle(node);
}

void reload_node_link_suspect(struct reload_node *node, reload_link_id link, bool suspect,
                              struct reload_time now)
{
    reload_node_enter(node, now);
    reload_connection_suspect(node, link, suspect);
    reload_node_settle(node);
}

void reload_node_link_mtu(struct reload_node *node, reload_link_id link, uint32_t mtu,
                          struct reload_time now)
{
    reload_node_enter(node, now);
    struct reload_slot *slot = reload_connection_of_link(node, link);
    if (slot)
        slot->mtu = mtu;
    reload_node_settle(node);
}

void reload_node_too_long(struct reload_node *node, reload_link_id link, const uint8_t *bytes,
                          size_t len, struct reload_time now)
{
    reload_node_enter(node, now);
    struct reload_slot *slot = reload_connection_of_link(node, link);
    if (slot)
        reload_send_again(node, slot, reload_slice_of(bytes, len));
    reload_node_settle(node);
}

void reload_node_link_idle(struct reload_node *node, reload_link_id link, struct reload_time now)
{
    reload_node_enter(node, now);
    reload_keepalive(node, link);
    reload_node_settle(node);
}

void reload_node_link_down(struct reload_node *node, reload_link_id link, struct reload_time now)
{
    reload_node_enter(node, now);
    reload_connection_down(node, link);
    reload_node_settle(node);
}

void reload_node_returned(struct reload_node *node, const uint8_t *bytes, size_t len,
                          struct reload_time now)
{
    reload_node_enter(node, now);
    reload_returned(node, reload_slice_of(bytes, len));
    reload_node_settle(node);
}

void reload_node_gathered(struct reload_node *node, uint32_t attach, struct reload_slice ufrag,
                          struct reload_slice password, struct reload_slice candidates,
                          struct reload_time now)
{
    const struct reload_offer own = { ufrag, password, candidates };
    struct reload_attach_record *link;
    struct reload_app_attach_record *channel;
    reload_node_enter(node, now);
    if ((link = reload_attach_numbered(node, attach)))
        reload_attach_gathered(node, link, &own);
    else if ((channel = reload_app_attach_numbered(node, attach)))
        reload_app_attach_gathered(node, channel, &own);
    else
        reload_drop(node, RELOAD_DROP_STATE, NULL, "candidates for nothing");
    reload_node_settle(node);
}

void reload_node_open_failed(struct reload_node *node, uint32_t attach, struct reload_time now)
{
    reload_node_enter(node, now);
    if (!reload_attach_open_failed(node, attach))
        (void)reload_app_attach_open_failed(node, attach);
    reload_node_settle(node);
}

void reload_node_bootstrap_failed(struct reload_node *node, struct reload_time now)
{
    reload_node_enter(node, now);
    node->ops->bootstrap(node->topology, NULL, now);
    reload_node_settle(node);
}

void reload_node_receive(struct reload_node *node, reload_link_id link, const uint8_t *message,
                         size_t len, struct reload_time now)
{
    reload_node_enter(node, now);
    struct reload_slot *slot = reload_connection_of_link(node, link);
    node->counters.received++;
    node->counters.received_bytes += len;
    if (slot) {
        reload_connection_heard(node, slot);
        reload_receipt(node, slot, reload_slice_of(message, len));
    } else {
        reload_drop(node, RELOAD_DROP_STATE, NULL, "no such link");
    }
    reload_node_settle(node);
}

void reload_node_oversize(struct reload_node *node, reload_link_id link, const uint8_t *start,
                          size_t len, struct reload_time now)
{
    reload_node_enter(node, now);
    struct reload_slot *slot = reload_connection_of_link(node, link);
    if (slot)
        reload_receipt_oversize(node, slot, reload_slice_of(start, len));
    reload_node_settle(node);
}

/* --- storage --- */

void reload_node_persisted(struct reload_node *node, uint64_t token, bool ok,
                           struct reload_time now)
{
    reload_node_enter(node, now);
    reload_storage_persisted(node, token, ok);
    reload_node_settle(node);
}

int reload_node_load(struct reload_node *node, const struct reload_store_row *row,
                     struct reload_time now)
{
    node->now = now;
    return reload_store_load(node->store, row, now);
}

/* --- wishes --- */

void reload_node_join(struct reload_node *node, bool first, struct reload_time now)
{
    reload_node_enter(node, now);
    node->ops->join(node->topology, first, now);
    reload_node_settle(node);
}

void reload_node_leave(struct reload_node *node, struct reload_time now)
{
    reload_node_enter(node, now);
    node->ops->leave(node->topology, now);
    reload_node_settle(node);
}

int reload_node_configure(struct reload_node *node, struct reload_slice document,
                          struct reload_time now)
{
    reload_node_enter(node, now);
    int e = reload_config_adopt(node, document);
    reload_node_settle(node);
    return e;
}

/* --- time --- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t reload_node_deadline(const struct reload_node *node)
{
    uint64_t at = reload_timers_next(&node->timers);
    at = earlier(at, reload_answered_deadline(node));
    at = earlier(at, reload_reassembly_deadline(node));
    at = earlier(at, reload_store_deadline(node->store));
    return earlier(at, node->ops->deadline(node->topology));
}

static void run_timer(struct reload_node *node, struct reload_timer *timer)
{
    switch (timer->kind) {
    case RELOAD_TIMER_TRANSACTION:
        reload_transaction_due(node, reload_transaction_of_timer(timer));
        return;
    case RELOAD_TIMER_ATTACH: reload_attach_due(node, reload_attach_of_timer(timer)); return;
    case RELOAD_TIMER_APP_ATTACH:
        reload_app_attach_due(node, reload_app_attach_of_timer(timer));
        return;
    case RELOAD_TIMER_SURPLUS_LINK:
        reload_connection_surplus_due(node, reload_slot_of_timer(timer));
        return;
    case RELOAD_TIMER_PUBLICATION:
        reload_publish_due(node, reload_publication_of_timer(timer));
        return;
    case RELOAD_TIMER_REPLICA: reload_replica_due(node, reload_replica_of_timer(timer)); return;
    }
}

void reload_node_tick(struct reload_node *node, struct reload_time now)
{
    reload_node_enter(node, now);
    struct reload_timer *timer;
    while ((timer = reload_timers_due(&node->timers, now.monotonic_ms)))
        run_timer(node, timer);
    reload_answered_tick(node);
    reload_reassembly_tick(node);
    reload_store_tick(node->store, now);
    node->ops->tick(node->topology, now);
    reload_node_settle(node);
}
