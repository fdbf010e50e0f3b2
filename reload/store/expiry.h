#ifndef RELOAD_STORE_EXPIRY_H
#define RELOAD_STORE_EXPIRY_H

#include <stddef.h>
#include <stdint.h>

#include "reload/error.h"

/* What expires first: a binary heap of embedded items. */

struct reload_expiry_item {
    uint64_t at_ms; /* monotonic; unchanged while in the heap */
    size_t place;   /* private */
};

struct reload_expiry {
    struct reload_expiry_item **items;
    size_t count, cap;
};

RELOAD_MUST_USE int reload_expiry_add(struct reload_expiry *heap,
                                      struct reload_expiry_item *item); /* RELOAD_E_NOMEM */
void reload_expiry_remove(struct reload_expiry *heap, struct reload_expiry_item *item);
static inline struct reload_expiry_item *reload_expiry_first(const struct reload_expiry *heap)
{
    return heap->count ? heap->items[0] : NULL;
}
void reload_expiry_fini(struct reload_expiry *heap); /* the items are not its own */

#endif
