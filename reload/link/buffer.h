#ifndef RELOAD_LINK_BUFFER_H
#define RELOAD_LINK_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "reload/error.h"

/* Bytes that wait: appended at the end, taken off the front. An empty buffer holds no memory, so
 * that an idle link costs none. */

struct reload_buffer { /* zero is empty */
    uint8_t *p;
    size_t start, end; /* the bytes are p[start..end) */
    size_t cap;
};

static inline size_t reload_buffer_len(const struct reload_buffer *buffer)
{
    return buffer->end - buffer->start;
}

/* Room for len more bytes: where to write them. NULL without memory. reload_buffer_commit() then
 * counts them in. */
uint8_t *reload_buffer_reserve(struct reload_buffer *buffer, size_t len);
void reload_buffer_commit(struct reload_buffer *buffer, size_t len);
/* RELOAD_E_NOMEM leaves the buffer as it was. */
RELOAD_MUST_USE int reload_buffer_append(struct reload_buffer *buffer, const void *p, size_t len);
void reload_buffer_consume(struct reload_buffer *buffer, size_t len); /* at most its length */
void reload_buffer_free(struct reload_buffer *buffer);                /* leaves it empty */

#endif
