#include "interop/probe/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *p)
{
    if (p)
        return p;
    fputs("reload-probe: no memory\n", stderr);
    exit(2);
}

void *probe_calloc(size_t count, size_t size)
{
    return need(calloc(count ? count : 1, size ? size : 1));
}

void *probe_realloc(void *p, size_t size)
{
    return need(realloc(p, size ? size : 1));
}

void *probe_memdup(const void *p, size_t size)
{
    void *copy = probe_calloc(1, size);
    if (size)
        memcpy(copy, p, size);
    return copy;
}

char *probe_strdup(const char *text)
{
    return probe_memdup(text, strlen(text) + 1);
}

void probe_append(struct reload_buffer *buffer, struct reload_slice bytes)
{
    if (bytes.n && reload_buffer_append(buffer, bytes.p, bytes.n))
        need(NULL);
}

void probe_append_byte(struct reload_buffer *buffer, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    probe_append(buffer, reload_slice_of(&byte, 1));
}
