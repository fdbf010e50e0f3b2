#include "reload/link/buffer.h"

#include <assert.h>
#include <string.h>

#include "reload/alloc.h"

#define FIRST_CAP 512

uint8_t *reload_buffer_reserve(struct reload_buffer *buffer, size_t len)
{
    if (buffer->cap - buffer->end >= len)
        return buffer->p + buffer->end;
    size_t used = reload_buffer_len(buffer);
    if (len > SIZE_MAX / 4 - used)
        return NULL;
    if (buffer->start > 0) {
        memmove(buffer->p, buffer->p + buffer->start, used);
        buffer->start = 0;
        buffer->end = used;
    }
    size_t cap = buffer->cap ? buffer->cap : FIRST_CAP;
    while (cap - used < len)
        cap *= 2;
    if (cap > buffer->cap) {
        uint8_t *p = reload_realloc(buffer->p, cap);
        if (!p)
            return NULL;
        buffer->p = p;
        buffer->cap = cap;
    }
    return buffer->p + buffer->end;
}

void reload_buffer_commit(struct reload_buffer *buffer, size_t len)
{
    assert(buffer->cap - buffer->end >= len);
    buffer->end += len;
}

int reload_buffer_append(struct reload_buffer *buffer, const void *p, size_t len)
{
    if (len == 0)
        return 0;
    uint8_t *to = reload_buffer_reserve(buffer, len);
    if (!to)
        return RELOAD_E_NOMEM;
    memcpy(to, p, len);
    reload_buffer_commit(buffer, len);
    return 0;
}

void reload_buffer_consume(struct reload_buffer *buffer, size_t len)
{
    assert(len <= reload_buffer_len(buffer));
    buffer->start += len;
    if (buffer->start == buffer->end)
        reload_buffer_free(buffer);
}

void reload_buffer_free(struct reload_buffer *buffer)
{
    reload_free(buffer->p);
    *buffer = (struct reload_buffer){ 0 };
}
