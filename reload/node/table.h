#ifndef RELOAD_NODE_TABLE_H
#define RELOAD_NODE_TABLE_H

#include "reload/error.h"

#include <stddef.h>
#include <stdint.h>

/* A hash table of pointers: open addressing, linear probing, at most three quarters full. It knows
 * hashes, not keys: whoever looks something up compares the keys of what next() gives. How much
 * goes in is bounded by its owner. Zero-initialise to start. */

struct reload_table_slot {
    uint64_t hash;
    void *value; /* NULL: free */
};

struct reload_table {
    struct reload_table_slot *slots;
    size_t capacity; /* 0, or a power of two */
    size_t count;
};

/* The value must not be NULL. RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_table_insert(struct reload_table *table, uint64_t hash, void *value);
/* The values under a hash, one a call: *place starts at 0. NULL when there are no more. */
void *reload_table_next(const struct reload_table *table, uint64_t hash, size_t *place);
/* All values, in no order, one a call: *place starts at 0. NULL when there are no more. Nothing is
 * inserted or removed meanwhile. */
void *reload_table_each(const struct reload_table *table, size_t *place);
/* Takes that value out; nothing happens when it is not there. */
void reload_table_remove(struct reload_table *table, uint64_t hash, const void *value);
void reload_table_fini(struct reload_table *table);

#endif
