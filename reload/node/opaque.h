#ifndef RELOAD_NODE_OPAQUE_H
#define RELOAD_NODE_OPAQUE_H

#include "reload/node/connection.h"

/* Compressed ids (RFC 6940 s6.3.2.2): two or eight bytes in the place of a list. */

#define RELOAD_OPAQUE_LEN      8
#define RELOAD_OPAQUE_KEPT_MAX 256 /* Via Lists remembered; the oldest makes room */
struct reload_kept_via {
    uint64_t id; /* random; 0: free */
    uint8_t *list;
    size_t len;
    uint64_t until_ms;
};

/* The 16-bit id that names a Connection Table slot (s6.3.2.2). */
uint16_t reload_opaque_of_slot(const struct reload_node *node, const struct reload_slot *slot);
/* Keeps a Via List and gives an opaque id for it (s6.1.2); out holds RELOAD_OPAQUE_LEN bytes. */
int reload_opaque_keep(struct reload_node *node, struct reload_slice via_list, uint8_t *out);
/* What an opaque id stands for: a slot (*slot), or Destination List entries in the arena. */
int reload_opaque_expand(struct reload_node *node, struct reload_slice id,
                         struct reload_slot **slot, struct reload_slice *entries);
void reload_opaque_fini(struct reload_node *node);

#endif
