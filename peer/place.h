#ifndef PEER_PLACE_H
#define PEER_PLACE_H

#include <jansson.h>

#include "peer/overlay.h"

/* Which stored data a control request means: Kind, Resource-ID, index or key; see peer/control.h.
 */

#define RELOAD_PLACE_KEY_MAX 1024 /* bytes of a dictionary key */

struct reload_place {
    const struct reload_kind_config *kind; /* NULL when the request names none and none is needed */
    uint8_t resource[RELOAD_RESOURCE_ID_MAX];
    size_t resource_len;
    bool has_index, has_key;
    uint32_t index;
    uint8_t key[RELOAD_PLACE_KEY_MAX];
    size_t key_len;
    uint64_t generation;
};

struct reload_place_problem {
    char text[200];
};

/* RELOAD_E_INVALID with a sentence. kind_needed: a request without "kind" is refused. */
RELOAD_MUST_USE int reload_place_read(const json_t *request, const struct reload_overlay *overlay,
                                      bool kind_needed, struct reload_place *out,
                                      struct reload_place_problem *problem);
/* A value given as text under `name`, or as hexadecimal under `name`_hex. *bytes is for free().
 * RELOAD_E_NOT_FOUND when neither is there, RELOAD_E_INVALID. */
RELOAD_MUST_USE int reload_place_bytes(const json_t *request, const char *name, uint8_t **bytes,
                                       size_t *len);

static inline struct reload_slice reload_place_resource(const struct reload_place *place)
{
    return reload_slice_of(place->resource, place->resource_len);
}

#endif
