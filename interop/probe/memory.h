#ifndef INTEROP_PROBE_MEMORY_H
#define INTEROP_PROBE_MEMORY_H

#include <stddef.h>

#include "reload/link/buffer.h"
#include "reload/wire/cursor.h"

/* Memory of a tester: when there is none the program says so and ends. Free with free(). */

void *probe_calloc(size_t count, size_t size);
void *probe_realloc(void *p, size_t size);
void *probe_memdup(const void *p, size_t size); /* size 0 gives a valid pointer */
char *probe_strdup(const char *text);
void probe_append(struct reload_buffer *buffer, struct reload_slice bytes);
void probe_append_byte(struct reload_buffer *buffer, unsigned value);

static inline struct reload_slice probe_buffer_slice(const struct reload_buffer *buffer)
{
    if (!buffer->p)
        return reload_slice_of(NULL, 0);
    return reload_slice_of(buffer->p + buffer->start, reload_buffer_len(buffer));
}

#endif
