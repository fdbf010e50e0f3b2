#ifndef RELOAD_TESTS_NODE_STORAGE_RIG_H
#define RELOAD_TESTS_NODE_STORAGE_RIG_H

#include "tests/reload/node/rig.h"

/* A rig whose node is responsible for everything and has two replica holders, parties 1 and 2; and
 * Stores of the value "hello", with a lifetime of 600 s, for it. Slices and messages are in static
 * storage, until the next call but for storage_home_of(), which has four. */

/* With links to parties 0 to 2. persist: answers wait for reload_node_persisted(). */
void storage_set_up(struct rig *rig, bool persist);
/* Where a USER-MATCH value of that party's user belongs. */
struct reload_slice storage_home_of(const struct party *p);
/* The body of a Store of one such value there. */
struct reload_slice storage_body(const struct rig *rig, const struct party *p, uint64_t time,
                                 uint8_t replica_number, uint64_t generation);
/* The original Store of a party's value. */
struct rig_message storage_message(const struct rig *rig, size_t party, uint64_t time);
/* Party 0's Store of one dictionary entry for each character of keys, at most 8. */
struct rig_message storage_keys(const struct rig *rig, const char *keys, uint64_t time);
/* Stores the values of that many parties, without replicas. */
void storage_fill(struct rig *rig, size_t count);
/* A party's error response without error_info. */
struct rig_message storage_refusal(const struct rig *rig, size_t party, uint64_t id, uint16_t code);
/* The body of a FetchAns with one value of party 0, newer than what is here. */
struct reload_slice storage_newer_values(const struct rig *rig, uint64_t time);

/* How many values the node holds. */
size_t storage_values(const struct rig *rig);
/* The error code of the n-th SEND, which must be an error response. */
uint16_t storage_error_sent(const struct rig *rig, size_t n);
/* The newest REQUEST_DONE; fails the test when there is none. */
const struct reload_result *storage_last_result(const struct rig *rig);

#endif
