#ifndef RELOAD_NODE_STORAGE_H
#define RELOAD_NODE_STORAGE_H

#include "reload/node/request.h"
#include "reload/node/transaction.h"

/* Storage: requests to this node's store (storage.c), what it stores at others (replicate.c,
 * push.c, publish.c), and what it does when they have newer data (resync.c). */

struct reload_replica;
struct reload_push;
struct reload_publication;

struct reload_held { /* a StoreAns that waits for the disk */
    struct reload_held *next;
    uint64_t token;
    struct reload_reply reply;
    struct reload_slice body, resource;
    struct reload_store_changes changes; /* to replicate; none: equal ends */
};

void reload_store_handle(struct reload_node *node, struct reload_request *request);
/* A Fetch or Stat for what this node does not hold, in a range that it may not own for long: "there
 * is nothing" could be wrong. */
bool reload_fetch_too_early(const struct reload_node *node, struct reload_slice body);
void reload_fetch_handle(struct reload_node *node, struct reload_request *request);
void reload_stat_handle(struct reload_node *node, struct reload_request *request);
void reload_find_handle(struct reload_node *node, struct reload_request *request);
/* Hands rows that changed to the host. The token, or 0 when there was none. */
uint64_t reload_storage_flush(struct reload_node *node);
void reload_storage_persisted(struct reload_node *node, uint64_t token, bool ok);
void reload_storage_fini(struct reload_node *node);
/* Ends an application's Fetch: verified values (s7.4.2.2). */
void reload_fetch_result(struct reload_node *node, const struct reload_answer *answer,
                         struct reload_result *result);

/* A walk over a FetchAns for that resource. */
void reload_fetched_init(struct reload_node *node, struct reload_fetched *walk,
                         struct reload_slice resource, struct reload_slice certificates);
/* A storage_time for an own value: now, and always more than before. */
uint64_t reload_storage_time(struct reload_node *node);

/* Bytes of body and certificates that a StoreReq of this node may hold. */
size_t reload_replica_room(const struct reload_node *node);
struct reload_replicas {
    struct reload_replica *first;
    size_t waiting;
};
/* s10.4: stores what changed of a resource at its replica holders. */
void reload_replicate(struct reload_node *node, struct reload_slice resource,
                      struct reload_store_changes changes);
void reload_replica_answered(struct reload_node *node, struct reload_answer *answer);
void reload_replica_due(struct reload_node *node, struct reload_replica *replica);
struct reload_replica *reload_replica_of_timer(struct reload_timer *timer);
void reload_replicas_fini(struct reload_node *node);
/* The far end has newer data than what was stored there. */
bool reload_is_superseded(const struct reload_answer *answer);
/* s7.4.1.1: when a re-store was refused as too old, takes the newer data over. True when there were
 * other values besides, which may be news over there all the same: a Store fails as a whole. */
bool reload_resync(struct reload_node *node, const struct reload_answer *answer);
void reload_resync_answered(struct reload_node *node, struct reload_answer *answer);
/* s7.4.1.2: the generation counter of an application's Store was too low. True when the newer data
 * is being fetched: then the application is told with that. */
bool reload_refused_fetch(struct reload_node *node, const struct reload_answer *answer);
void reload_refused_answered(struct reload_node *node, struct reload_answer *answer);

struct reload_pushes {
    struct reload_push *first;
    size_t count;
};
void reload_push_start(struct reload_node *node, const struct reload_topology_push *push);
void reload_push_answered(struct reload_node *node, struct reload_answer *answer);
void reload_pushes_fini(struct reload_node *node);

void reload_publish_begin(struct reload_node *node);
void reload_publish_due(struct reload_node *node, struct reload_publication *publication);
void reload_publish_answered(struct reload_node *node, struct reload_answer *answer);
struct reload_publication *reload_publication_of_timer(struct reload_timer *timer);
void reload_publish_fini(struct reload_node *node);

#endif
