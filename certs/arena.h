#ifndef CERTS_ARENA_H
#define CERTS_ARENA_H

#include "reload/alloc.h"
#include "reload/wire/cursor.h"

/* Memory for the many small parts of one configuration, freed together. {0} is empty. */

struct reload_cert_arena {
    struct reload_cert_arena_block *blocks;
    bool failed; /* sticky: memory ran out at some point */
};

void *reload_cert_arena_alloc(struct reload_cert_arena *arena, size_t size); /* zeroed; or NULL */
void *reload_cert_arena_array(struct reload_cert_arena *arena, size_t count, size_t size);
char *reload_cert_arena_string(struct reload_cert_arena *arena, const char *s, size_t len);
/* A copy; an empty slice stays empty. p is NULL without memory. */
struct reload_slice reload_cert_arena_slice(struct reload_cert_arena *arena, struct reload_slice s);
void reload_cert_arena_fini(struct reload_cert_arena *arena);

#endif
