#include "certs/arena.h"

#include <stdalign.h>

struct reload_cert_arena_block {
    struct reload_cert_arena_block *next;
    alignas(max_align_t) unsigned char bytes[];
};

void *reload_cert_arena_alloc(struct reload_cert_arena *arena, size_t size)
{
    struct reload_cert_arena_block *block =
        size < SIZE_MAX - sizeof *block ? reload_calloc(1, sizeof *block + size) : NULL;
    if (!block) {
        arena->failed = true;
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block->bytes;
}

void *reload_cert_arena_array(struct reload_cert_arena *arena, size_t count, size_t size)
{
    return size && count > SIZE_MAX / size ? NULL : reload_cert_arena_alloc(arena, count * size);
}

char *reload_cert_arena_string(struct reload_cert_arena *arena, const char *s, size_t len)
{
    char *copy = reload_cert_arena_alloc(arena, len + 1);
    if (copy)
        memcpy(copy, s, len);
    return copy;
}

struct reload_slice reload_cert_arena_slice(struct reload_cert_arena *arena, struct reload_slice s)
{
    uint8_t *copy = s.n ? reload_cert_arena_alloc(arena, s.n) : NULL;
    if (copy)
        memcpy(copy, s.p, s.n);
    return (struct reload_slice){ copy, copy ? s.n : 0 };
}

void reload_cert_arena_fini(struct reload_cert_arena *arena)
{
    while (arena->blocks) {
        struct reload_cert_arena_block *block = arena->blocks;
        arena->blocks = block->next;
        reload_free(block);
    }
}
