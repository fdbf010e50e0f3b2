#ifndef RELOAD_NODE_STATE_H
#define RELOAD_NODE_STATE_H

#include "reload/node/answered.h"
#include "reload/node/attach.h"
#include "reload/node/config_update.h"
#include "reload/node/extension.h"
#include "reload/node/fragment.h"
#include "reload/node/hash.h"
#include "reload/node/journal.h"
#include "reload/node/opaque.h"
#include "reload/node/option.h"
#include "reload/node/queue.h"
#include "reload/node/route.h"
#include "reload/node/storage.h"
#include "reload/node/work.h"
#include "reload/wire/error.h"

/* The inside of a node: all its tables. Each of the headers above says what the files of one
 * concern offer the others; nothing outside reload/node includes them. */

struct reload_node {
    struct reload_node_config config; /* limits filled in */
    const struct reload_crypto *crypto;
    const struct reload_config *overlay;
    const struct reload_config *owned, *retired; /* to be released: in force, and the one before */
    struct reload_random random;
    struct reload_node_id self, wildcard;
    struct reload_time now, started;
    struct reload_hash_key key;

    const struct reload_topology_ops *ops;
    struct reload_topology *topology;
    struct reload_topology_host host;
    enum reload_topology_state state;
    bool was_joined;               /* JOINING since: it has lost its peers, and looks for others */
    struct reload_slot *bootstrap; /* the link that WANT_BOOTSTRAP brought */

    struct reload_store *store;
    uint64_t last_storage_time;
    uint64_t next_token, next_request;
    struct reload_held *held;
    size_t held_count;

    struct reload_queue queue;
    struct reload_work *work, **work_end;
    struct reload_timers timers;
    struct reload_table transactions;
    size_t transaction_count;
    struct reload_connections connections;
    struct reload_kept_via kept[RELOAD_OPAQUE_KEPT_MAX];
    size_t kept_next;
    struct reload_reassemblies reassemblies;
    struct reload_waiting waiting;
    struct reload_answers answers;
    uint32_t next_attach; /* number given to the host last */
    struct reload_attaches attaches;
    struct reload_app_attaches app_attaches;
    uint16_t applications[RELOAD_NODE_APPLICATIONS_MAX]; /* served; 0: a free place */
    struct reload_pushes pushes;
    struct reload_replicas replicas;
    struct reload_publication *publications;
    struct reload_config_push config_pushes[RELOAD_CONFIG_PUSHES_MAX];

    uint32_t refusals;       /* that may still be sent: */
    uint64_t refusals_at_ms; /* ... a bucket last filled at */
    struct reload_node_counters counters;
    struct reload_drop_line drops[RELOAD_DROP_COUNT];
};

static inline size_t reload_node_id_length(const struct reload_node *node)
{
    return node->overlay->node_id_length;
}

/* node.c: every entry point begins and ends with these. */
void reload_node_enter(struct reload_node *node, struct reload_time now);
void reload_node_settle(struct reload_node *node);

#endif
